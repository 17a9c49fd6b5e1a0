// Makes collector/driver_hosts.c of driver_own.tsv and the lists of Matomo (CC0):
//
//   node collector/data/driver_hosts.mjs LISTS > collector/driver_hosts.c
//
// LISTS is a folder with matomo-SearchEngines.yml, matomo-Socials.yml and matomo-AIAssistants.yml, as
// in github.com/matomo-org/searchengine-and-social-list. Only for who brings the table up to date:
// the build takes the C file as it is.
import { readFileSync } from 'node:fs'

const lists = process.argv[2] ?? '.'
const lines = (path) => readFileSync(path, 'utf8').split('\n')
const unquote = (s) => s.trim().replace(/^'(.*)'$/, '$1').replace(/''/g, "'")

// The lists' keyword parameters that are regular expressions over the address, as patterns over its
// path: "*" is any part, "+" the part with the keyword. driver_keyword.c reads them.
const patterns = {
  '/s\\/([^\\/]+)/': ['/s/+'],
  '/\\/web\\/(.*)/': ['/web/+'],
  '/\\/ws\\/(.*)/': ['/ws/+'],
  '/\\/[^\\/]+\\/ws\\/results\\/[^\\/]+\\/([^\\/]+)/': ['/*/ws/results/*/+'],
  '/\\/search\\/([^\\/]+)/': ['/search/+'],
  '/\\/search\\?q=cache:(?:[A-Za-z0-9]+):[^+]+([^&]+)/': ['q'], // its "cache:" is cut in C
  '/(?:search|images|videos)\\/([^\\/]+)/': ['/search/+', '/images/+', '/videos/+'],
  '/search\\/[^\\/]+\\/(.*)/': ['/search/*/+'],
  '/\\/([^\\/]+)\\/index\\.html/': ['/+/index.html'],
}

const keywordOf = (parameter) => {
  if (!parameter.startsWith('/')) return [parameter.trim()]
  if (!patterns[parameter]) throw new Error(`a new pattern: ${parameter}`)
  return patterns[parameter]
}

// "google.{}" is any public suffix; "{}.bing.com" is below bing.com, as every subdomain is.
const splitHost = (text) => {
  const [host, ...path] = unquote(text).toLowerCase().replace('{}', '*').split('/')
  return { host: host.replace(/^\*\./, '').replace(/^www\./, ''), path: path.length ? '/' + path.join('/') : '' }
}
const keyOf = (row) => row.host + ' ' + row.path
const sourceOf = (name) => decodeURIComponent(name).toLowerCase().replaceAll('!', '')

// ---- the lists ----

const readEngines = () => {
  const rows = []
  let name, config, list
  for (const line of lines(`${lists}/matomo-SearchEngines.yml`)) {
    let text = line.trim()
    if (!text || text.startsWith('#')) continue
    if (text === '-' || /^- \w+:$/.test(text)) {
      rows.push((config = { name, urls: [], params: [], charsets: [], hiddenkeyword: [] }))
      text = text.slice(2)
    }
    if (!line.startsWith(' ')) name = unquote(text.replace(/:$/, ''))
    else if (/^\w+:/.test(text)) list = config[text.split(':')[0]] // undefined where the value follows
    else if (text.startsWith('- ') && list) list.push(unquote(text.slice(2)))
  }
  return rows.flatMap((c) =>
    c.urls.filter((u) => !u.startsWith('android-app//') && !/\.\{\}\./.test(u)).map((u) => ({
      ...splitHost(u), kind: 'search', source: sourceOf(c.name),
      keywords: c.params.flatMap(keywordOf).filter((p) => p).join(','),
      charset: c.charsets.find((s) => s.toLowerCase() !== 'utf-8')?.toLowerCase() ?? '',
    })))
}

const readHosts = (file, kind) => {
  const rows = []
  let name
  for (const line of lines(`${lists}/${file}`)) {
    const text = line.trim()
    if (!text || text.startsWith('#')) continue
    if (line.startsWith(' ')) rows.push({ ...splitHost(text.slice(2)), kind, source: sourceOf(name), keywords: '', charset: '' })
    else name = unquote(text.replace(/:$/, ''))
  }
  return rows
}

// ---- all of it, the first row of a host wins ----

const listed = [...readHosts('matomo-AIAssistants.yml', 'ai'), ...readHosts('matomo-Socials.yml', 'social'), ...readEngines()]
const rows = new Map()
const exact = new Set(), needsKeyword = new Set()

for (const line of lines(new URL('driver_own.tsv', import.meta.url))) {
  if (!line || line.startsWith('#')) continue
  const [kind, source, keywords, hosts] = line.split('\t')
  for (const at of hosts.split(' ').map(splitHost)) {
    const known = listed.find((r) => keyOf(r) === keyOf(at) && r.kind === 'search')
    if (kind === 'exact') exact.add(keyOf(at))
    else if (kind === 'needs-keyword') needsKeyword.add(keyOf(at))
    else if (rows.has(keyOf(at))) throw new Error(`twice: ${at.host}${at.path}`)
    else if (keywords === '=' && !known) throw new Error(`not listed: ${at.host}`)
    else
      rows.set(keyOf(at), { ...at, kind, source, charset: kind === 'search' ? (known?.charset ?? '') : '',
        keywords: keywords === '=' ? known.keywords : keywords === '-' ? '' : keywords })
  }
}
for (const row of listed) if (!rows.has(keyOf(row))) rows.set(keyOf(row), row)

for (const row of rows.values())
  if (row.host.split('.').length > 6) throw new Error(`more labels than driver_host.c looks at: ${row.host}`)

// Rows that say nothing which another does not: "google.com/cse" beside "google.*/cse", hosts below
// a host of the same engine.
const isSame = (a, b) => ['kind', 'source', 'keywords', 'charset'].every((k) => a[k] === b[k])
const isSaidByAny = (key, row) => {
  const any = rows.get(row.host.replace(/\.com$/, '.*') + ' ' + row.path)
  return any && any !== row && isSame(any, row)
}
const isSaidAbove = (key, row) => {
  if (row.path || exact.has(key) || needsKeyword.has(key)) return false
  const above = row.host.split('.').map((_, i, parts) => parts.slice(i + 1).join('.'))
  const parent = above.map((host) => rows.get(host + ' ')).find((r) => r)
  return parent && !exact.has(keyOf(parent)) && !needsKeyword.has(keyOf(parent)) && isSame(parent, row)
}
for (const isSaid of [isSaidByAny, isSaidAbove])
  for (const key of [...rows].filter(([k, r]) => isSaid(k, r)).map(([k]) => k)) rows.delete(key)

const bytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))
const sorted = [...rows.values()].sort((a, b) => bytes(a.host, b.host) || b.path.length - a.path.length || bytes(a.path, b.path))

// ---- what sources are, by name ----

const order = ['ai', 'email', 'social', 'search']
const kinds = new Map()
for (const kind of order) for (const row of sorted) if (row.kind === kind && !kinds.has(row.source)) kinds.set(row.source, kind)
const names = [...kinds].sort((a, b) => bytes(a[0], b[0]))

const c = (s) => JSON.stringify(s)
const constant = { ai: 'AI', email: 'EMAIL', social: 'SOCIAL', search: 'SEARCH', display: 'DISPLAY', paid: 'PAID_SEARCH', provider: 'PROVIDER' }
const flag = (b) => (b ? 'true' : 'false')

console.log(`/* Made by collector/data/driver_hosts.mjs from driver_own.tsv and the lists of search engines,
 * social networks and assistants that the Matomo project keeps (CC0). Change those, not this.
 *
 * Sorted by host, then the longer path first; names sorted. */
#include "collector/driver_int.h"

/* clang-format off */
const struct driver_host driver__hosts[] = {`)
for (const r of sorted)
  console.log(`    {${c(r.host)}, ${c(r.path)}, ${c(r.source)}, ${c(r.keywords)}, ${c(r.charset)}, DRIVER_${constant[r.kind]}, ` +
    `${flag(exact.has(keyOf(r)))}, ${flag(needsKeyword.has(keyOf(r)))}},`)
console.log(`};
const size_t driver__n_hosts = sizeof driver__hosts / sizeof *driver__hosts;

const struct driver_name driver__names[] = {`)
for (const [name, kind] of names) console.log(`    {${c(name)}, DRIVER_${constant[kind]}},`)
console.log(`};
const size_t driver__n_names = sizeof driver__names / sizeof *driver__names;`)
for (const key of [...exact, ...needsKeyword]) if (!rows.has(key)) console.error(`no row for ${key}`)
