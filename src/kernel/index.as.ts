// The one module of all fixed kernels. A file of kernels is added here and, by its interface, to Kernel in kernel.ts.
export * from './decode.as'
export * from './compression.as'
export * from './gather.as'
export * from './hash.as'
export * from './aggregate.as'
export * from './join.as'
export * from './sort.as'
