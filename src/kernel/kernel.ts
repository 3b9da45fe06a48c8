/** The fixed kernels: AssemblyScript compiled at build time to one checked-in module over the shared memory. */
export interface Kernel { readonly exports: WebAssembly.Exports }
