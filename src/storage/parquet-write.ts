/** The door to parquet-wasm: batches as the bytes of a Parquet file. */
import type { RecordBatch } from '../arrow.ts'
import { InternalError } from '../error.ts'

export type ParquetCompression = 'zstd' | 'snappy' | 'gzip' | 'uncompressed' | 'lz4_raw' | 'brotli'

export interface ParquetOptions {
  readonly compression: ParquetCompression
  readonly rowGroupRows: number
  /** False: values that repeat are written each time. */
  readonly dictionaries?: boolean
}

/** Rows in a row group: few enough that a reader's morsels are many, enough for dictionaries to pay. */
export const ROW_GROUP_ROWS = 122_880

/** Late: 6 MB that only writers need. */
const load = (): Promise<[typeof import('parquet-wasm'), typeof import('../arrow.ts')]> => Promise.all([import('parquet-wasm'), import('../arrow.ts')])
let loaded: ReturnType<typeof load> | undefined

/** One file of these batches, which share a schema. Field ids are those that the batches' Arrow fields carry. */
export async function writeParquetFile(batches: readonly RecordBatch[], options: ParquetOptions): Promise<Uint8Array> {
  const [wasm, { arrowStream }] = await (loaded ??= load())
  const codecs: Readonly<Record<ParquetCompression, number>> = {
    zstd: wasm.Compression.ZSTD, snappy: wasm.Compression.SNAPPY, gzip: wasm.Compression.GZIP,
    uncompressed: wasm.Compression.UNCOMPRESSED, lz4_raw: wasm.Compression.LZ4_RAW, brotli: wasm.Compression.BROTLI,
  }
  // Each step consumes what it is given, so nothing is left to free; also not when it throws.
  const properties = new wasm.WriterPropertiesBuilder().setCompression(codecs[options.compression]).setMaxRowGroupSize(options.rowGroupRows).setDictionaryEnabled(options.dictionaries ?? true)
    .setStatisticsEnabled(wasm.EnabledStatistics.Page).setCreatedBy('sluice').build()
  try {
    return wasm.writeParquet(wasm.Table.fromIPCStream(arrowStream(batches)), properties)
  } catch (error) {
    throw error instanceof Error ? error : new InternalError(`the Parquet writer failed: ${String(error)}`)
  }
}
