-- wrk's requests: beacons as the snippet sends them, no two events alike. A visitor comes from a
-- search engine by a campaign's link and sends eight beacons, going from page to page. From the
-- environment:
--   SITE_KEY; BATCH events a beacon; CONNECTION "close": a new connection each
local key = os.getenv("SITE_KEY")
local batch = tonumber(os.getenv("BATCH") or "1")
local threads = 0
local BEACONS = 8 -- of a visitor

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init()
  local random = assert(io.open("/dev/urandom", "rb"))
  prefix = ""
  for byte in random:read(8):gmatch(".") do prefix = prefix .. string.format("%02x", byte:byte()) end
  random:close()
  now = os.time() * 1000
  beacons, events = 0, 0
  headers = {
    ["Content-Type"] = "text/plain;charset=UTF-8",
    ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ["Origin"] = "https://shop.example",
    ["Connection"] = os.getenv("CONNECTION") or "keep-alive",
  }
end

local function event()
  local isLanding = beacons % BEACONS == 0
  events = events + 1
  return '{"event":"pageview","id":"' .. prefix .. number .. "-" .. events .. '","time":' .. now + events % 1000 ..
    ',"url":"https://shop.example/p/' .. events % 500 ..
    (isLanding and "?utm_source=news&utm_campaign=c" .. events % 7 or "") ..
    '","title":"Product ' .. events % 500 .. '","referrer":"' ..
    (isLanding and "https://www.google.com/" or "https://shop.example/p/" .. (events - 1) % 500) .. '"}'
end

function request()
  local list = {}
  beacons = beacons + 1
  for i = 1, batch do list[i] = event() end
  return wrk.format("POST", "/e", headers,
    '{"site":"' .. key .. '","visitor":"' .. prefix .. number .. string.format("%012d", math.floor(beacons / BEACONS)) ..
    '","sent":' .. now + 1000 .. ',"events":[' .. table.concat(list, ",") .. "]}")
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\nJSON {"requests":%d,"seconds":%f,"refused":%d,"failed":%d,"p50_ms":%f,"p99_ms":%f}\n',
    summary.requests, summary.duration / 1e6, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
