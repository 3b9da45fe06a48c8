#!/bin/sh
# Compiles the fixed kernels (*.as.ts, all re-exported by index.as.ts) to kernel.wasm and notes which sources it was made of.
# npm run kernel. The module imports the one shared memory and allocates nothing in it; its constants lie in the first 64 KiB,
# which the memory gives to nobody.
set -e
cd "$(dirname "$0")/../.."
node_modules/.bin/asc src/kernel/index.as.ts -o src/kernel/kernel.wasm.$$ -O3 --noAssert --runtime stub \
  --importMemory --sharedMemory --initialMemory 1 --maximumMemory 65536 \
  --enable simd,threads,bulk-memory --disable mutable-globals --use abort=
mv src/kernel/kernel.wasm.$$ src/kernel/kernel.wasm
node_modules/.bin/node src/kernel/source.ts > src/kernel/kernel.sha256
ls -l src/kernel/kernel.wasm
