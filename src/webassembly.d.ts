/** The part of the WebAssembly JavaScript interface that Sluice uses; TypeScript has it only in its browser library. */
declare namespace WebAssembly {
  interface MemoryDescriptor { initial: number; maximum?: number; shared?: boolean }
  class Memory {
    constructor(descriptor: MemoryDescriptor)
    readonly buffer: SharedArrayBuffer
    grow(pages: number): number
  }
  class Module {
    constructor(bytes: Uint8Array | ArrayBuffer)
  }
  type ExportValue = ((...args: (number | bigint)[]) => number | bigint | undefined) | Memory | Global
  type Exports = Readonly<Record<string, ExportValue>>
  type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>
  class Instance {
    constructor(module: Module, imports?: Imports)
    readonly exports: Exports
  }
  class Global {
    constructor(descriptor: { value: 'i32' | 'i64' | 'f32' | 'f64'; mutable?: boolean }, value?: number | bigint)
    value: number | bigint
  }
  class RuntimeError extends Error {}
}
