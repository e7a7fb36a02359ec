/**
 * The prototypes of libvppapiclient that this folder binds, one table per header, names kept
 * verbatim. Calls that may wait are bound a second time to run on another thread.
 */

/** vppapiclient.h: the binary API over shared memory. */
export const VAC_SYMBOLS = {
  // void vac_mem_init(size_t size);
  vac_mem_init: { parameters: ["usize"], result: "void" },
  // int vac_connect(char *name, char *chroot_prefix, vac_callback_t cb, int rx_qlen);
  vac_connect: {
    parameters: ["buffer", "buffer", "function", "i32"],
    result: "i32",
    nonblocking: true,
  },
  // int vac_disconnect(void);
  vac_disconnect: { parameters: [], result: "i32", nonblocking: true },
  // int vac_write(char *data, int len);
  vac_write: { parameters: ["buffer", "i32"], result: "i32" },
  vac_write_nonblocking: {
    name: "vac_write",
    parameters: ["buffer", "i32"],
    result: "i32",
    nonblocking: true,
  },
  // int vac_get_msg_index(char *name);
  vac_get_msg_index: { parameters: ["buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** stat_client.h: the statistics segment. Each takes the client's own state, `_r`. */
export const STAT_SYMBOLS = {
  // void vac_mem_init(size_t size);
  vac_mem_init: { parameters: ["usize"], result: "void" },
  // stat_client_main_t *stat_client_get(void);
  stat_client_get: { parameters: [], result: "pointer" },
  // void stat_client_free(stat_client_main_t *sm);
  stat_client_free: { parameters: ["pointer"], result: "void" },
  // int stat_segment_connect_r(const char *socket_name, stat_client_main_t *sm);
  stat_segment_connect_r: {
    parameters: ["buffer", "pointer"],
    result: "i32",
    nonblocking: true,
  },
  // void stat_segment_disconnect_r(stat_client_main_t *sm);
  stat_segment_disconnect_r: { parameters: ["pointer"], result: "void" },
  // uint8_t **stat_segment_string_vector(uint8_t **string_vector, const char *string);
  stat_segment_string_vector: { parameters: ["pointer", "buffer"], result: "pointer" },
  // int stat_segment_vec_len(void *vec);
  stat_segment_vec_len: { parameters: ["pointer"], result: "i32" },
  // void stat_segment_vec_free(void *vec);
  stat_segment_vec_free: { parameters: ["pointer"], result: "void" },
  // uint32_t *stat_segment_ls_r(uint8_t **patterns, stat_client_main_t *sm);
  stat_segment_ls_r: { parameters: ["pointer", "pointer"], result: "pointer" },
  // stat_segment_data_t *stat_segment_dump_r(uint32_t *stats, stat_client_main_t *sm);
  stat_segment_dump_r: { parameters: ["pointer", "pointer"], result: "pointer" },
  // void stat_segment_data_free(stat_segment_data_t *res);
  stat_segment_data_free: { parameters: ["pointer"], result: "void" },
} as const satisfies Deno.ForeignLibraryInterface;

/** What VPP calls back with each message: `void (*vac_callback_t)(unsigned char *data, int len)`. */
export const VAC_CALLBACK = {
  parameters: ["pointer", "i32"],
  result: "void",
} as const satisfies Deno.UnsafeCallbackDefinition;
