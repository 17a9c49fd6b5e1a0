// Makes flat.mmdb: three networks in the flat schema of the npm data packages (country_code, state1,
// city, continent_code), to a file that the format's description alone would give.
//
//   node tests/unit/collector/places/make_flat.mjs > tests/unit/collector/places/flat.mmdb
//
// A name that comes twice is written once and pointed to, as real databases do.
const networks = [
  ['::5102:4580/123', { country_code: 'GB', state1: 'England', city: 'London', continent_code: 'EU' }], // 81.2.69.128/27
  ['::0a00:0000/104', { country_code: 'ID', state1: 'Jawa Barat', city: 'Bandung' }], // 10.0.0.0/8
  ['2001:db8::/32', { country_code: 'ID' }],
]

// ---- fields ----

const control = (type, size) => {
  const small = Math.min(size, 29)
  const head = type < 8 ? [(type << 5) | small] : [small, type - 7]
  return Buffer.from(size < 29 ? head : [...head, size - 29])
}
const text = (s) => Buffer.concat([control(2, Buffer.byteLength(s)), Buffer.from(s)])
const number = (type, n) => {
  const bytes = []
  for (let v = n; v > 0; v = Math.floor(v / 256)) bytes.unshift(v % 256)
  return Buffer.concat([control(type, bytes.length), Buffer.from(bytes)])
}
const map = (entries, put) => Buffer.concat([control(7, entries.length), ...entries.flatMap(([k, v]) => [put(k), v])])

// ---- the data: every text once, then the maps, which point to them ----

let data = Buffer.alloc(0)
const texts = new Map()
const pointer = (s) => {
  const at = texts.get(s)
  return Buffer.from([0x20 | (at >> 8), at & 255])
}
for (const [, place] of networks)
  for (const s of Object.entries(place).flat())
    if (!texts.has(s)) {
      texts.set(s, data.length)
      data = Buffer.concat([data, text(s)])
    }
const offsets = networks.map(([, place]) => {
  const at = data.length
  data = Buffer.concat([data, map(Object.entries(place).map(([k, v]) => [k, pointer(v)]), pointer)])
  return at
})

// ---- the tree ----

const bitsOf = (network) => {
  const [address, length] = network.split('/')
  const [head, tail] = address.split('::').map((part) => part.split(':').filter((g) => g))
  const groups = [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail]
  return groups.map((g) => parseInt(g, 16).toString(2).padStart(16, '0')).join('').slice(0, Number(length))
}
const nodes = [[null, null]]
networks.forEach(([network], i) => {
  const bits = [...bitsOf(network)].map(Number)
  let node = 0
  for (const bit of bits.slice(0, -1)) {
    nodes[node][bit] ??= { node: nodes.push([null, null]) - 1 }
    node = nodes[node][bit].node
  }
  nodes[node][bits.at(-1)] = { data: offsets[i] }
})
const valueOf = (r) => (r === null ? nodes.length : 'node' in r ? r.node : nodes.length + 16 + r.data)
const tree = Buffer.concat(nodes.flat().map((r) => Buffer.from([valueOf(r) >> 16, (valueOf(r) >> 8) & 255, valueOf(r) & 255])))

const metadata = map([
  ['binary_format_major_version', number(5, 2)], ['binary_format_minor_version', number(5, 0)],
  ['build_epoch', number(9, 1780315200)], ['database_type', text('Corong-Flat-Test')],
  ['description', map([['en', text('Made by make_flat.mjs')]], text)],
  ['ip_version', number(5, 6)], ['languages', Buffer.concat([control(11, 1), text('en')])],
  ['node_count', number(6, nodes.length)], ['record_size', number(5, 24)],
], text)

process.stdout.write(Buffer.concat([tree, Buffer.alloc(16), data, Buffer.from('abcdef', 'hex'), Buffer.from('MaxMind.com'), metadata]))
