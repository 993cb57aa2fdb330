#include "limits/take_script.hpp"

namespace latchkey::limits {

// The arithmetic is bucket.cpp's; microseconds fit a double exactly. A bucket is one value: cmsgpack of
// {earned_at} or, for rates with a surplus, {earned_at, surplus_earned_at, newest_second, spent[0..59]}.
// Everything is read before anything is written, so a refusal in the middle (full, read-only) leaves nothing half done
// but the first of two buckets, which then errs on the safe side.
std::string_view TakeScript() {
  return R"lua(
-- take:  ARGV = {'take', clock, then per key: per_minute, burst, surplus_per_minute, minute_limit, units, reserve}
--        KEYS = the buckets. Returns the microseconds to wait; 0: all were taken.
-- join:  ARGV = {'join', clock, process id, microseconds until forgotten, its id before or ''},
--        KEYS = {the set of processes}. Returns how many processes there are.
-- sit:   ARGV = {'sit', clock, process id, microseconds until forgotten, limit, seat ids...},
--        KEYS = {the seats of one mailbox, the set of processes}. Seats of processes that are gone are free.
--        Returns how many of the ids, from the first on, have a seat now.
-- rise:  ARGV = {'rise', clock, seat ids...}, KEYS = {the seats}. Returns how many were given back.
-- clock is '' for this server's own; tests give microseconds since 1970.
local MINUTE = 60000000
-- Milliseconds by which a value outlives its use. A test's clock may stand still for longer than this server's does.
local SLACK = ARGV[2] == '' and 1000 or 3600000
local NEXT_LOOK = 1000000
local now
if ARGV[2] == '' then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
else
  now = tonumber(ARGV[2])
end

if ARGV[1] == 'join' then
  local lasting = tonumber(ARGV[4])
  redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[3])
  if ARGV[5] ~= '' then redis.call('ZREM', KEYS[1], ARGV[5]) end
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - lasting))
  redis.call('PEXPIRE', KEYS[1], math.ceil(lasting / 1000))
  return redis.call('ZCARD', KEYS[1])
end

if ARGV[1] == 'sit' then
  local taken = 0
  local seats = redis.call('HGETALL', KEYS[1])
  for i = 1, #seats, 2 do
    local seen = redis.call('ZSCORE', KEYS[2], seats[i + 1])
    if seats[i + 1] ~= ARGV[3] and (not seen or tonumber(seen) < now - tonumber(ARGV[4])) then
      redis.call('HDEL', KEYS[1], seats[i])
    else
      taken = taken + 1
    end
  end
  local given = 0
  for i = 6, #ARGV do
    if taken >= tonumber(ARGV[5]) then break end
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[3])
    taken, given = taken + 1, given + 1
  end
  redis.call('PEXPIRE', KEYS[1], 3600000)
  return given
end

if ARGV[1] == 'rise' then
  local back = 0
  for i = 3, #ARGV do back = back + redis.call('HDEL', KEYS[1], ARGV[i]) end
  return back
end

local function time_to_earn(rate, units) return math.floor(60e6 * units / rate) end

local function base_wait(b)
  local cost = time_to_earn(b.per_minute, b.units)
  local burst = math.max(time_to_earn(b.per_minute, b.burst - b.reserve), cost)
  return math.max(0, math.max(b.earned, now) + cost - now - burst)
end

local function surplus_wait(b)
  local limit, base_per_second, spent = b.minute_limit - b.reserve, b.per_minute / 60, 0
  for i = 0, 59 do spent = spent + b.spent[i] end
  for ahead = 0, 59 do
    if spent + base_per_second * (ahead + 1) + b.units > limit then return NEXT_LOOK end
    spent = spent - b.spent[(b.newest + 1 + ahead) % 60]
  end
  return math.max(0, b.surplus - now)
end

local function read(i)
  local a = 3 + (i - 1) * 6
  local b = {
    per_minute = tonumber(ARGV[a]), burst = tonumber(ARGV[a + 1]), surplus_per_minute = tonumber(ARGV[a + 2]),
    minute_limit = tonumber(ARGV[a + 3]), units = tonumber(ARGV[a + 4]), reserve = tonumber(ARGV[a + 5]),
  }
  local kept = {}
  local text = redis.call('GET', KEYS[i])
  if text then
    local fine, value = pcall(cmsgpack.unpack, text)
    if fine and type(value) == 'table' then kept = value end
  end
  -- What only a clock that was set back can have made is taken back, and written down even with a refusal.
  local function at_most(value, longest)
    if value > now + longest then b.mended = true end
    return math.min(value, now + longest)
  end
  local longest = math.max(MINUTE, time_to_earn(b.per_minute, math.max(b.burst, b.minute_limit)))
  b.earned = at_most(kept[1] or 0, longest)
  if b.surplus_per_minute > 0 then
    b.surplus = at_most(kept[2] or 0, math.max(MINUTE, time_to_earn(b.surplus_per_minute, b.minute_limit)))
    b.spent = {}
    b.newest = math.floor(now / 1000000)
    local newest = kept[3] or 0
    if math.abs(b.newest - newest) >= 60 or #kept ~= 63 then
      b.mended = b.mended or newest > b.newest
      for s = 0, 59 do b.spent[s] = 0 end
    else
      for s = 0, 59 do b.spent[s] = kept[4 + s] end
      for s = newest + 1, b.newest do b.spent[s % 60] = 0 end
      b.newest = math.max(b.newest, newest)
    end
  end
  return b
end

local function keep(i, b)
  local kept, last = {b.earned}, b.earned
  if b.surplus_per_minute > 0 then
    kept[2], kept[3] = b.surplus, b.newest
    for s = 0, 59 do kept[4 + s] = b.spent[s] end
    last = math.max(last, b.surplus, now + MINUTE)
  end
  -- Forgotten once it is as good as new.
  redis.call('SET', KEYS[i], cmsgpack.pack(kept), 'PX', math.max(0, math.ceil((last - now) / 1000)) + SLACK)
end

local buckets, wait = {}, 0
for i = 1, #KEYS do
  local b = read(i)
  local base = base_wait(b)
  if base > 0 and b.surplus_per_minute > 0 then
    local surplus = surplus_wait(b)
    if surplus == 0 then
      b.from_surplus, base = true, 0
    else
      base = math.min(base, surplus)
    end
  end
  wait = math.max(wait, base)
  buckets[i] = b
end
if wait > 0 then
  for i = 1, #KEYS do
    if buckets[i].mended then keep(i, buckets[i]) end
  end
  return wait
end

for i = 1, #KEYS do
  local b = buckets[i]
  if b.from_surplus then
    b.surplus = math.max(b.surplus, now) + time_to_earn(b.surplus_per_minute, b.units)
  else
    b.earned = math.max(b.earned, now) + time_to_earn(b.per_minute, b.units)
  end
  if b.surplus_per_minute > 0 then b.spent[b.newest % 60] = b.spent[b.newest % 60] + b.units end
  keep(i, b)
end
return 0
)lua";
}

}  // namespace latchkey::limits
