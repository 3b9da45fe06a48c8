/** How a function computes. Filled in by exec/compile's author; see there. */
export type Body = { readonly kind: 'special' }
