import { AttributeCursor } from "./attribute.ts";
import { NetlinkRequest } from "./request.ts";

for (const count of [0, 1, 8, 64, 512]) {
  const encode = (): Uint8Array => {
    const request = new NetlinkRequest(24, 0, 12);
    for (let i = 0; i < count; i++) request.u32(i + 1, i);
    return request.encode(1);
  };
  const bytes = encode();

  Deno.bench({ name: `encode ${count}`, group: "encode", baseline: count === 0 }, () => {
    encode();
  });

  Deno.bench({ name: `decode ${count}`, group: "decode", baseline: count === 0 }, () => {
    let sum = 0;
    for (const cursor = new AttributeCursor(bytes, 28); cursor.next();) sum += cursor.u32();
    if (sum !== count * (count - 1) / 2) throw new Error(`wrong sum ${sum}`);
  });
}
