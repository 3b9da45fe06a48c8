import { expect, test } from 'vitest'
import { SqlError } from './error.ts'
import { DEFAULT_SETTINGS, formatValue, parseValue } from './text.ts'
import type { TextSettings } from './text.ts'
import { textAnswers } from './text/text-answers.ts'
import { typeOf } from './text/type-of.test-data.ts'

function settingsOf(given: Readonly<Record<string, string>>): TextSettings {
  const [style = 'ISO', order = style === 'German' ? 'DMY' : 'MDY'] = (given['DateStyle'] ?? 'ISO, MDY').split(', ')
  const styles = ['ISO', 'SQL', 'Postgres', 'German'] as const, orders = ['MDY', 'DMY', 'YMD'] as const
  const intervals = ['postgres', 'postgres_verbose', 'sql_standard', 'iso_8601'] as const
  return {
    ...DEFAULT_SETTINGS, timeZone: given['TimeZone'] ?? 'UTC',
    dateStyle: styles.find(s => s === style) ?? 'ISO', dateOrder: orders.find(o => o === order) ?? 'MDY',
    intervalStyle: intervals.find(s => s === given['IntervalStyle']) ?? 'postgres',
    extraFloatDigits: Number(given['extra_float_digits'] ?? 1), byteaOutput: given['bytea_output'] === 'escape' ? 'escape' : 'hex',
  }
}

for (const { settings, cases } of textAnswers()) {
  for (const [name, rows] of Object.entries(cases)) {
    test(`${name} reads and writes as PostgreSQL's under ${JSON.stringify(settings)}`, () => {
      const type = typeOf(name), given = settingsOf(settings)
      const ours = rows.map(([text]) => {
        try {
          return formatValue(parseValue(text, type, given, 'explicit'), type, given)
        } catch (error) {
          if (!(error instanceof SqlError)) throw error
          return { code: error.code, ...(error.details.detail === undefined ? {} : { detail: error.details.detail }), message: error.message }
        }
      })
      const wrong = rows.flatMap(([text, expected], i) => JSON.stringify(ours[i]) === JSON.stringify(expected) ? [] : [{ text, ours: ours[i], expected }])
      expect(wrong).toEqual([])
    })
  }
}
