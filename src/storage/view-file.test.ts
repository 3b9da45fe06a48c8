import { expect, test } from 'vitest'
import type { Field } from '../type.ts'
import type { ViewDefinition } from './catalog.ts'
import { openLake } from './lake.ts'
import { openMemoryStore } from './store-memory.ts'

const field = (name: string, type: Field['type']): Field => ({ name, type, nullable: true })

const DEFINITION: ViewDefinition = {
  name: { schema: 'db', name: 'A view: "1"' },
  columns: [
    field('a', { kind: 'int4' }), field('"é"', { kind: 'numeric', precision: 20, scale: 3 }), field('n', { kind: 'numeric' }), field('v', { kind: 'varchar', length: 3 }), field('t', { kind: 'timestamptz', precision: 3 }),
    field('l', { kind: 'array', element: { kind: 'array', element: { kind: 'char', length: 1 } } }), field('r', { kind: 'row', fields: [field('x', { kind: 'date' })] }), field('m', { kind: 'map', key: { kind: 'text' }, value: { kind: '"char"' } }),
  ],
  view: { sql: "SELECT 1, 'é\n\"'", searchPath: ['public', 'default'] },
  comment: 'about it',
}

test('a view is what it was when it is read again, beside the tables and not among them', async () => {
  const store = openMemoryStore(), lake = await openLake(store)
  await lake.createSchema('db')
  await lake.createView(DEFINITION, false)
  const again = await openLake(store)
  expect(await again.shape(DEFINITION.name)).toEqual({ ...DEFINITION, kind: 'view', key: [], partitionedBy: [], options: {} })
  expect(await again.relations('db')).toEqual([{ name: DEFINITION.name, kind: 'view' }])
  expect(await again.table(DEFINITION.name)).toBeUndefined()
  await expect(again.createView(DEFINITION, false)).rejects.toMatchObject({ code: '42P07' })
  await expect(again.createTable({ name: DEFINITION.name, columns: [], primaryKey: [], partitionedBy: [], options: {} })).rejects.toMatchObject({ code: '42P07' })
  await again.createView({ ...DEFINITION, columns: [] }, true)
  expect((await again.shape(DEFINITION.name))?.columns).toEqual([])
  await again.dropView(DEFINITION.name)
  expect(await again.shape(DEFINITION.name)).toBeUndefined()
  await expect(again.dropView(DEFINITION.name)).rejects.toMatchObject({ code: '42P01' })
  // nothing is left that would keep the schema
  await again.dropSchema('db', false)
  expect(await again.schemas()).toEqual([])
})

test('names that lead elsewhere are no names of views', async () => {
  const lake = await openLake(openMemoryStore())
  await lake.createSchema('db')
  for (const name of ['', '../x', 'a/b', 'a$b']) {
    await expect(lake.createView({ ...DEFINITION, name: { schema: 'db', name } }, false)).rejects.toMatchObject({ code: '42602' })
    expect(await lake.shape({ schema: 'db', name })).toBeUndefined()
  }
  await expect(lake.createView({ ...DEFINITION, name: { schema: 'nowhere', name: 'v' } }, false)).rejects.toMatchObject({ code: '3F000' })
})

test('a file that is not a view of ours is named', async () => {
  const store = openMemoryStore(), lake = await openLake(store), write = (text: string): Promise<boolean> => store.write('db.db/.views/v.json', new TextEncoder().encode(text), 'replace')
  await lake.createSchema('db')
  for (const text of ['{', '{"version": 2, "query": "SELECT 1", "searchPath": [], "columns": []}', '{"version": 1, "searchPath": [], "columns": []}', '{"version": 1, "query": "SELECT 1", "searchPath": [], "columns": [{"name": "a", "type": {"kind": "no"}}]}']) {
    await write(text)
    await expect(lake.shape({ schema: 'db', name: 'v' })).rejects.toMatchObject({ code: 'XX001', message: expect.stringContaining('db.db/.views/v.json') })
  }
})
