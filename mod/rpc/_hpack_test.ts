import { assert, assertEquals, assertThrows } from "@contiv/assert";
import { createServer } from "node:http2";
import { concat } from "./_bytes.ts";
import { encodeFrame, Flag, FrameReader, FrameType, Setting } from "./_frame.ts";
import { HeaderTable } from "./_header_table.ts";
import { decodeHeaders, encodeHeaders, HpackError } from "./_hpack.ts";

function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll(" ", ""));
}

Deno.test("header blocks without a dynamic table read as RFC 7541, Appendix C, says", async (t) => {
  const cases: readonly [name: string, block: string, headers: Record<string, string>][] = [
    [
      "C.2.1 literal with indexing",
      "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
      { "custom-key": "custom-header" },
    ],
    [
      "C.2.2 literal without indexing",
      "040c 2f73 616d 706c 652f 7061 7468",
      { ":path": "/sample/path" },
    ],
    [
      "C.2.3 literal never indexed",
      "1008 7061 7373 776f 7264 0673 6563 7265 74",
      { password: "secret" },
    ],
    ["C.2.4 indexed", "82", { ":method": "GET" }],
    [
      "C.4.1 request with Huffman",
      "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
      {
        ":method": "GET",
        ":scheme": "http",
        ":path": "/",
        ":authority": "www.example.com",
      },
    ],
    [
      "C.6.1 response with Huffman",
      "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 " +
      "2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
      {
        ":status": "302",
        "cache-control": "private",
        date: "Mon, 21 Oct 2013 20:13:21 GMT",
        location: "https://www.example.com",
      },
    ],
    ["6.3 size update to 0", "20 88", { ":status": "200" }],
  ];
  for (const [name, block, headers] of cases) {
    await t.step(name, () => assertEquals(Object.fromEntries(decodeHeaders(hex(block))), headers));
  }
});

Deno.test("header blocks with a dynamic table read as RFC 7541, Appendix C, says", async (t) => {
  const request = { ":method": "GET", ":scheme": "http", ":path": "/" };
  const requests: readonly [block: string, headers: Record<string, string>][] = [
    [
      "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      { ...request, ":authority": "www.example.com" },
    ],
    [
      "8286 84be 5808 6e6f 2d63 6163 6865",
      { ...request, ":authority": "www.example.com", "cache-control": "no-cache" },
    ],
    [
      "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
      {
        ":method": "GET",
        ":scheme": "https",
        ":path": "/index.html",
        ":authority": "www.example.com",
        "custom-key": "custom-value",
      },
    ],
  ];
  const table = new HeaderTable(4_096);
  for (const [i, [block, headers]] of requests.entries()) {
    await t.step(`C.3.${i + 1}`, () => {
      assertEquals(Object.fromEntries(decodeHeaders(hex(block), table)), headers);
    });
  }
  await t.step("what a smaller table has no room for is gone", () => {
    // 54 octets for custom-key, 53 for cache-control: the size update leaves the newest.
    decodeHeaders(hex("3f 29"), table);
    assertEquals(table.get(0), ["custom-key", "custom-value"]);
    assertEquals(table.get(1), undefined);
    assertThrows(() => decodeHeaders(hex("bf"), table), HpackError, "index 63");
    assertThrows(() => decodeHeaders(hex("3f e2 1f"), table), HpackError, "wanted 4096");
  });
});

Deno.test("what is encoded decodes to the same", () => {
  const headers: [string, string][] = [[":path", "/a"], ["long", "x".repeat(126)], [
    "longer",
    "y".repeat(127),
  ], ["longest", "z".repeat(70_000)]];
  assertEquals([...decodeHeaders(Uint8Array.from(encodeHeaders(headers)))], headers);
});

Deno.test("broken header blocks are refused", async (t) => {
  const cases: Record<string, string> = {
    "index 0": "80",
    "index beyond the static table": "be",
    "a table size above ours": "21",
    "cut integer": "ff",
    "integer without end": "ff ffff ffff ffff",
    "cut string": "0005 61",
    "no value": "0001 61",
    "EOS in a string": "0001 61 84 ffff ffff",
    "eight bits of padding": "0001 61 82 1fff",
    "padding that is not ones": "0001 61 81 18",
  };
  for (const [name, block] of Object.entries(cases)) {
    await t.step(name, () => void assertThrows(() => decodeHeaders(hex(block)), HpackError));
  }
});

Deno.test("every printable character that nghttp2 sends in a header decodes, Huffman included", async () => {
  const octets = range(0x20, 0x7e);
  // Twenty letters of five bits make the Huffman form the shorter one, which is what is sent.
  const values = octets.map((octet) => `aceios012aceios012at${String.fromCharCode(octet)}e`);
  const socket = Deno.makeTempFileSync({ prefix: "contiv-hpack-" });
  Deno.removeSync(socket);
  const server = createServer((_, response) => {
    values.forEach((value, i) => response.setHeader(`x${i}`, value));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const conn = await Deno.connect({ transport: "unix", path: socket });
  try {
    const request = encodeHeaders([[":method", "GET"], [":scheme", "http"], [":path", "/"], [
      ":authority",
      "a",
    ]]);
    await conn.write(concat([
      new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      encodeFrame(FrameType.SETTINGS, 0, 0, [0, Setting.HEADER_TABLE_SIZE, 0, 0, 0, 0]),
      encodeFrame(FrameType.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, 1, request),
    ]));
    const headers = decodeHeaders(await readHeaderBlock(conn));
    values.forEach((value, i) =>
      assertEquals(headers.get(`x${i}`), value.trim(), `octet ${octets[i]}`)
    );
  } finally {
    conn.close();
    await new Promise((resolve) => server.close(resolve));
  }
});

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

async function readHeaderBlock(conn: Deno.Conn): Promise<Uint8Array> {
  const reader = new FrameReader();
  const buffer = new Uint8Array(65_536);
  while (true) {
    const count = await conn.read(buffer);
    assert(count !== null, "the server closed the connection");
    reader.push(buffer.subarray(0, count));
    for (let frame = reader.next(); frame; frame = reader.next()) {
      if (frame.type !== FrameType.HEADERS) continue;
      assert(frame.flags & Flag.END_HEADERS);
      return frame.payload;
    }
  }
}
