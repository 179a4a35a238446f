
-- The first 32 bits behind the point of a root of each of the first 64 primes, which SHA-256 begins with.
local function roots(of, count)
    local all, number = {}, 2
    while #all < count do
        local is_prime = true
        for divisor = 2, math.floor(number ^ 0.5) do
            is_prime = is_prime and number % divisor ~= 0
        end
        if is_prime then
            all[#all + 1] = math.floor(number ^ (1 / of) % 1 * 2.0 ^ 32)
        end
        number = number + 1
    end
    return all
end

local CUBES, SQUARES = roots(3, 64), roots(2, 8)
local xor, band, ror = bit.bxor, bit.band, bit.ror

-- 32 bits as four octets, and back.
local function octets_of(word)
    local function octet(shift)
        return band(bit.rshift(word, shift), 0xff)
    end
    return string.char(octet(24), octet(16), octet(8), octet(0))
end

local function word_at(octets, at)
    local a, b, c, d = octets:byte(at, at + 3)
    return ((a * 256 + b) * 256 + c) * 256 + d
end

local function scheduled(octets, at)
    local words = {}
    for i = 1, 16 do
        words[i] = word_at(octets, at + 4 * (i - 1))
    end
    for i = 17, 64 do
        local x, y = words[i - 15], words[i - 2]
        local s0 = xor(ror(x, 7), ror(x, 18), bit.rshift(x, 3))
        local s1 = xor(ror(y, 17), ror(y, 19), bit.rshift(y, 10))
        words[i] = bit.tobit(words[i - 16] + s0 + words[i - 7] + s1)
    end
    return words
end

local function rounds(state, words)
    local a, b, c, d, e, f, g, h = state[1], state[2], state[3], state[4], state[5], state[6], state[7], state[8]
    for i = 1, 64 do
        local s1 = xor(ror(e, 6), ror(e, 11), ror(e, 25))
        local choice = xor(band(e, f), band(bit.bnot(e), g))
        local t1 = bit.tobit(h + s1 + choice + CUBES[i] + words[i])
        local s0 = xor(ror(a, 2), ror(a, 13), ror(a, 22))
        local majority = xor(band(a, b), band(a, c), band(b, c))
        a, b, c, d, e, f, g, h = bit.tobit(t1 + s0 + majority), a, b, c, bit.tobit(d + t1), e, f, g
    end
    return { a, b, c, d, e, f, g, h }
end

local function sha256(octets)
    local length = octets_of(math.floor(#octets / 2 ^ 29)) .. octets_of(#octets * 8 % 2 ^ 32)
    local padded = octets .. "\128" .. ("\0"):rep((55 - #octets) % 64) .. length
    local state = SQUARES
    for at = 1, #padded, 64 do
        local more, sums = rounds(state, scheduled(padded, at)), {}
        for i = 1, 8 do
            sums[i] = bit.tobit(state[i] + more[i])
        end
        state = sums
    end
    local all = {}
    for i = 1, 8 do
        all[i] = octets_of(state[i])
    end
    return table.concat(all)
end

local function CHECKSUM(octets)
    return sha256(sha256(octets)):sub(1, 4)
end
