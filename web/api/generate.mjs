// Writes `schema.ts` from `openapi/api.json`, or with `--check` fails when it is not what that file would give. The
// description uses few keywords of JSON Schema; one that is not known here stops the build instead of being guessed at.

import { readFileSync, writeFileSync } from 'node:fs';

const description = new URL('../../openapi/api.json', import.meta.url);
const target = new URL('./schema.ts', import.meta.url);

/** What only narrows values and has no counterpart in a type. */
const narrowing = new Set(['format', 'minimum', 'maximum', 'pattern', 'minLength', 'maxLength', 'minItems', 'maxItems', 'maxProperties', 'propertyNames', 'examples', 'additionalProperties']);
const plain = { string: 'string', integer: 'number', number: 'number', boolean: 'boolean', null: 'null', object: 'Readonly<Record<string, unknown>>' };

/** The TypeScript type of one schema. */
export function typeOf(schema) {
  const unknown = Object.keys(schema).filter((key) => !narrowing.has(key) && !['$ref', 'description', 'type', 'enum', 'const', 'anyOf', 'items', 'properties', 'required'].includes(key));
  if (unknown.length > 0) throw new Error(`openapi/api.json uses ${unknown.join(', ')}, which web/api/generate.mjs does not know.`);
  if (schema.$ref) return schema.$ref.split('/').at(-1);
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' | ');
  if (schema.enum) return schema.enum.map(literal).join(' | ');
  if ('const' in schema) return literal(schema.const);
  if (schema.items) return union(schema, `readonly ${grouped(typeOf(schema.items))}[]`);
  if (schema.properties) return `{\n${fields(schema)}}`;
  if (schema.additionalProperties?.type) return union(schema, `Readonly<Record<string, ${typeOf(schema.additionalProperties)}>>`, 'object');
  return [schema.type].flat().map(plainType).join(' | ');
}

/** The whole file. */
export function generate(api) {
  const parts = Object.entries(api.components.schemas).map(([name, schema]) => {
    const comment = schema.description ? `/** ${schema.description} */\n` : '';
    if (schema.enum) return `${comment}export const ${name} = [\n${schema.enum.map((value) => `  ${literal(value)},\n`).join('')}] as const;\nexport type ${name} = (typeof ${name})[number];\n`;
    if (schema.properties) return `${comment}export interface ${name} ${typeOf(schema)}\n`;
    return `${comment}export type ${name} = ${typeOf(schema)};\n`;
  });
  const operations = Object.entries(api.paths).flatMap(([path, methods]) => Object.keys(methods).filter(isMethod).map((method) => `${method.toUpperCase()} ${path}`));
  const routes = `/** Every operation. */\nexport const operations = [\n${operations.map((operation) => `  ${literal(operation)},\n`).join('')}] as const;\n`;
  return `// Made from openapi/api.json by api/generate.mjs (\`npm run types\`); the build fails when it is stale.\n\n${[...parts, routes].join('\n')}`;
}

function fields({ properties, required = [] }) {
  return Object.entries(properties)
    .map(([name, schema]) => {
      const comment = schema.description ? `  /** ${schema.description} */\n` : '';
      return `${comment}  ${name}${required.includes(name) ? '' : '?'}: ${typeOf(schema).replaceAll('\n', '\n  ')};\n`;
    })
    .join('');
}

const isMethod = (key) => ['get', 'post', 'put', 'patch', 'delete'].includes(key);
const literal = (value) => `'${String(value).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const grouped = (type) => (type.includes(' | ') ? `(${type})` : type);
const union = ({ type }, of, what = 'array') => [type].flat().map((name) => (name === what ? of : plainType(name))).join(' | ');

function plainType(name) {
  if (!(name in plain)) throw new Error(`openapi/api.json has the type ${name}, which web/api/generate.mjs does not know.`);
  return plain[name];
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const made = generate(JSON.parse(readFileSync(description, 'utf8')));
  if (!process.argv.includes('--check')) writeFileSync(target, made);
  else if (readFileSync(target, 'utf8') !== made) {
    console.error('web/api/schema.ts is not what openapi/api.json describes: run `npm run types` in web and mend what no longer fits.');
    process.exitCode = 1;
  }
}
