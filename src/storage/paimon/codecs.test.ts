/** Metadata files written by Java: read, written again by us, read again. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parseRow } from './binaryrow.ts'
import { parseIndexManifest, printIndexManifest } from './index.ts'
import { parseManifest, parseManifestList, printManifest, printManifestList } from './manifest.ts'
import type { ManifestEntry } from './manifest.ts'
import { escapeName, partitionPath } from './paths.ts'
import { fieldsOf, parseSchema, printSchema } from './schema.ts'
import type { PaimonSchema } from './schema.ts'
import { parseSnapshot, printSnapshot } from './snapshot.ts'
import { parsePaimonType, printPaimonType } from './types.ts'

const GOLDEN = fileURLToPath(new URL('../../../../shared/golden/paimon/', import.meta.url))
const here = existsSync(GOLDEN)

test.each([
  ['int not null', 'INT NOT NULL'], ['DECIMAL(10,2)', 'DECIMAL(10, 2)'], ['numeric', 'DECIMAL(10, 0)'], ['VARCHAR(2147483647)', 'STRING'], ['varbinary(2147483647)', 'BYTES'],
  ['TIMESTAMP', 'TIMESTAMP(6)'], ['TIMESTAMP_LTZ(3)', 'TIMESTAMP(3) WITH LOCAL TIME ZONE'], ['TIMESTAMP(9) WITH LOCAL TIME ZONE NOT NULL', 'TIMESTAMP(9) WITH LOCAL TIME ZONE NOT NULL'],
  ['TIME', 'TIME(0)'], ['double precision', 'DOUBLE'], ['INTEGER NULL', 'INT'], ['CHAR', 'CHAR(1)'],
])('type %s is written %s', (text, canonical) => {
  expect(printPaimonType(parsePaimonType('t', text))).toBe(canonical)
})

test.each(['BLOB', 'GEOMETRY(OGC:CRS84)', 'FANCY(3)', 'DECIMAL(39, 0)', 'INT(3)'])('type %s is kept, and not understood', text => {
  const type = parsePaimonType('t', text)
  expect(type.kind).toBe('OTHER')
  expect(printPaimonType(type)).toBe(text)
})

test('names of directories escape what Java escapes', () => {
  expect(escapeName('a/b=c:d%e f"ü😀\u0001\u007f')).toBe('a%2Fb%3Dc%3Ad%25e f%22ü😀%01%7F')
})

describe.skipIf(!here)('over every golden table', () => {
  const tables = here ? readdirSync(GOLDEN, { recursive: true, encoding: 'utf8' }).filter(path => /\.db\/[^/]+\/schema$/.test(path)).map(path => GOLDEN + path.slice(0, -7)) : []
  const files = (directory: string, prefix: string): string[] => existsSync(directory) ? readdirSync(directory).filter(name => name.startsWith(prefix)).map(name => `${directory}/${name}`) : []
  const avro = (path: string): boolean => readFileSync(path).subarray(0, 3).toString() === 'Obj'

  test('there are many', () => expect(tables.length).toBeGreaterThan(150))

  test('schemas are written as Java writes them', () => {
    for (const path of tables.flatMap(table => files(`${table}/schema`, 'schema-'))) {
      const bytes = readFileSync(path)
      expect(Buffer.from(printSchema(parseSchema(path, bytes))).toString(), path).toBe(bytes.toString())
    }
  })

  test('snapshots come back the same', () => {
    for (const path of tables.flatMap(table => files(`${table}/snapshot`, 'snapshot-'))) {
      const snapshot = parseSnapshot(path, readFileSync(path))
      expect(parseSnapshot(path, printSnapshot(snapshot))).toEqual({ ...snapshot, version: 3 })
    }
  })

  test('manifest lists, manifests and index manifests come back the same', () => {
    let entries = 0
    for (const table of tables) {
      for (const path of files(`${table}/manifest`, 'manifest-list-').filter(avro)) {
        const list = parseManifestList(path, readFileSync(path))
        expect(parseManifestList(path, printManifestList(list, 'zstandard'))).toEqual(list)
      }
      for (const path of files(`${table}/manifest`, 'manifest-').filter(path => !path.includes('manifest-list-') && avro(path))) {
        const manifest = parseManifest(path, readFileSync(path))
        entries += manifest.length
        for (const codec of ['null', 'deflate', 'snappy', 'zstandard'] as const) expect(parseManifest(path, printManifest(manifest, codec))).toEqual(manifest)
      }
      for (const path of files(`${table}/manifest`, 'index-manifest-')) {
        const index = parseIndexManifest(path, readFileSync(path))
        expect(parseIndexManifest(path, printIndexManifest(index, 'zstandard'))).toEqual(index)
      }
    }
    expect(entries).toBeGreaterThan(1000)
  })

  test('every data file is in the directory that its partition and bucket give', () => {
    let checked = 0
    for (const table of tables) {
      const schemas = new Map<bigint, PaimonSchema>(files(`${table}/schema`, 'schema-').map(path => { const schema = parseSchema(path, readFileSync(path)); return [schema.id, schema] }))
      const live = files(`${table}/manifest`, 'manifest-').filter(path => !path.includes('manifest-list-') && avro(path)).flatMap(path => parseManifest(path, readFileSync(path)))
      const deleted = new Set(live.filter(entry => entry.kind === 'delete').map(entry => entry.file.fileName))
      for (const entry of live.filter((entry: ManifestEntry) => !deleted.has(entry.file.fileName))) {
        const schema = schemas.get(entry.file.schemaId)
        if (schema === undefined) continue
        const values = parseRow(table, entry.partition, fieldsOf(schema, schema.partitionKeys).map(field => field.type))
        const prefix = schema.options['data-file.path-directory'] === undefined ? '' : `${schema.options['data-file.path-directory']}/`
        const path = `${table}/${prefix}${partitionPath(schema, values)}bucket-${entry.bucket === -2 ? 'postpone' : entry.bucket}/${entry.file.fileName}`
        if (existsSync(path)) checked++
        else if (!/expire|rollback|tags|branch|decoupled/.test(table)) expect(path).toBe('to exist')
      }
    }
    expect(checked).toBeGreaterThan(500)
  })
})
