-- From here on the text is the same for every format.

-- The tokens of a mark: hex pairs, "??" and the like.
local function tokens(mark)
    local all = {}
    for token in mark:gmatch("%S+") do
        all[#all + 1] = token
    end
    return all
end

local function marks(around)
    return { before = tokens(around.before), after = tokens(around.after) }
end

local REQUEST, REPLY = marks(FORMAT.request), marks(FORMAT.reply)
local TRAILER = tokens(FORMAT.trailer)
local INDEX = FORMAT.index

-- Numbers are reckoned in floating point, which neither overflows nor differs from one Lua to the other. What it
-- holds exactly is far more than any frame has.
local EXACT = 2.0 ^ 53

local function ceil_to(number, step)
    return math.ceil(number / step) * step
end

local function integer(octets, at, width, order, signed)
    local value = 0.0
    for i = 1, width do
        local place = order == "big" and at + i or at + width - i + 1
        value = value * 256 + octets:byte(place)
    end
    if signed and value >= 2.0 ^ (8 * width - 1) then
        value = value - 2.0 ^ (8 * width)
    end
    return value
end

-- Each of these returns the number and its octets, or nothing where more octets are needed, or nil, nil and what is wrong.
local forms = {}

function forms.binary(octets, at, length)
    if #octets < at + length.most then
        return nil
    end
    return integer(octets, at, length.most, length.order, length.signed), length.most
end

function forms.varint(octets, at, length)
    local value = 0.0
    for i = 1, length.most do
        local octet = octets:byte(at + i)
        if not octet then
            return nil
        end
        value = value + (octet % 128) * 2.0 ^ (7 * (i - 1))
        if octet < 128 then
            if octet == 0 and i > 1 and not length.overlong then
                return nil, nil, "a length of more octets than it needs"
            end
            return value, i
        end
    end
    return nil, nil, "a length of more octets than there may be"
end

function forms.decimal(octets, at, length)
    local digits = octets:sub(at + 1, at + length.most + 1):match("^%d*")
    if #digits > length.most then
        return nil, nil, "a length of more octets than there may be"
    elseif #digits > 1 and digits:byte(1) == 0x30 and not length.overlong then
        return nil, nil, "a length of more octets than it needs"
    end
    local ended = octets:sub(at + #digits + 1, at + #digits + #length.stop)
    for i = 1, #ended do
        if #digits == 0 or ended:byte(i) ~= length.stop:byte(i) then
            return nil, nil, ("octet %02x in a decimal length"):format(ended:byte(i))
        end
    end
    if #ended < #length.stop then
        return nil
    end
    return tonumber(digits) + 0.0, #digits + #length.stop
end

-- What a length leaves when the indexes that it counts are taken off, and whether it ends in or behind one of them.
local function without_indexes(counted)
    if not INDEX or not FORMAT.covers.indexes then
        return counted, false
    end
    local chunks = math.ceil(counted / (INDEX.width + INDEX.chunk))
    local whole = math.max(chunks - 1, 0) * INDEX.chunk
    local left = math.max(counted - chunks * INDEX.width, whole)
    return left, chunks > 0 and left <= whole
end

-- Octets of body and payload that a count tells; of the payload nil if only the padding tells it. Or what is wrong.
local function counted(count)
    if count < 0 then
        return nil, nil, ("negative length %.0f"):format(count)
    end
    local length = count * FORMAT.unit
    if length < FORMAT.covered then
        local what = "length %.0f covers less than the %d header octets it counts"
        return nil, nil, what:format(length, FORMAT.covered)
    end
    local left, odd = without_indexes(length - FORMAT.covered)
    local body = FORMAT.covers.padding and left or ceil_to(left, FORMAT.chunk)
    if body > PROTO.prefs.limit then
        return nil, nil, ("body of %.0f octets is over the limit of %d"):format(body, PROTO.prefs.limit)
    elseif odd or body % FORMAT.chunk ~= 0 then
        local chunk = odd and INDEX.width + INDEX.chunk or FORMAT.chunk
        local what = "body of %.0f octets is no whole number of %d-octet chunks"
        return nil, nil, what:format(length - FORMAT.covered, chunk)
    end
    local is_exact = not FORMAT.covers.padding or FORMAT.chunk == 1
    return body, is_exact and left or nil
end

-- What is wrong with the octets of a mark, if something is.
local function misfit(mark, octets, at)
    for i, token in ipairs(mark) do
        local expected, found = tonumber(token, 16), octets:byte(at + i)
        if expected and found and expected ~= found then
            return ("fixed octet %02x where %02x belongs"):format(found, expected)
        end
    end
end

-- Where in a mark such tokens stand: the first of them, counted from 0, and how many there are.
local function within(mark, token)
    local first, count = nil, 0
    for i, one in ipairs(mark) do
        if one == token then
            first, count = first or i - 1, count + 1
        end
    end
    return first, count
end

-- The chunks of a body: where the index of each is, if it has one, and where its octets are.
local function chunks_of(frame)
    if not INDEX then
        return { { at = frame.body, len = frame.content } }
    end
    local chunks, at, left = {}, frame.body, frame.content
    while left > 0 do
        local len = math.min(left, INDEX.chunk)
        chunks[#chunks + 1] = { index = at, at = at + INDEX.width, len = len }
        at, left = at + INDEX.width + len, left - len
    end
    return chunks
end

local function content_of(frame, octets)
    local pieces = {}
    for i, chunk in ipairs(frame.chunks) do
        pieces[i] = octets:sub(chunk.at + 1, chunk.at + chunk.len)
    end
    return table.concat(pieces)
end

local function without_padding(content)
    local len = #content
    while len > 0 and content:byte(len) == FORMAT.pad do
        len = len - 1
    end
    return len
end

-- The frame that begins at an octet, counted from 0. Where more octets are needed, nothing and how many, if that is
-- known; where no frame can begin so, nil, nil and what is wrong. Fixed octets that are others make no frame unreadable by
-- themselves, as a profile may know of one kind of message what a capture has of many; but nothing is waited for on their word.
local function read(octets, at, around)
    local length_at = at + #around.before
    local count, width, fault = forms[FORMAT.length.form](octets, length_at, FORMAT.length)
    if not count then
        return nil, nil, fault and (misfit(around.before, octets, at) or fault)
    end
    local frame = { at = at, length = length_at, count = count, after = length_at + width }
    frame.body = frame.after + #around.after
    frame.content, frame.payload, fault = counted(count)
    if fault then
        return nil, nil, misfit(around.before, octets, at) or fault
    end
    local indexes = INDEX and math.ceil(frame.content / INDEX.chunk) * INDEX.width or 0
    frame.trailer = frame.body + frame.content + indexes
    frame.stop = frame.trailer + #TRAILER
    if #octets < frame.stop then
        local wrong = misfit(around.before, octets, at) or misfit(around.after, octets, frame.after)
        return nil, not wrong and frame.stop - #octets or nil, wrong
    end
    frame.chunks = chunks_of(frame)
    frame.payload = frame.payload or without_padding(content_of(frame, octets))
    return frame
end
