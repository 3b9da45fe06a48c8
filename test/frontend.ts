/** Messages of a Postgres client, byte by byte: for what its libraries will not say. */

export function message(kind: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.write(kind)
  head.writeUInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

export function startup(): Buffer {
  const body = Buffer.from('\0\x03\0\0user\0test\0\0', 'latin1'), head = Buffer.alloc(4)
  head.writeUInt32BE(body.length + 4)
  return Buffer.concat([head, body])
}
