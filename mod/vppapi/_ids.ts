/** Number of `sockclnt_create`, the same in every VPP: it is sent before any table is known. */
export const HELLO_ID = 15;

/** Number of `sockclnt_create_reply`, the same in every VPP. */
export const HELLO_REPLY_ID = 16;
