
-- What of a frame its checksum is reckoned from, put together: of the part in which it stands, what is in front of it.
local function summed(frame, octets, place)
    local last = frame.chunks[#frame.chunks]
    local payload = last.at + last.len - (frame.content - frame.payload)
    local regions = {
        { "before", frame.at, frame.length },
        { "length", frame.length, frame.after },
        { "after", frame.after, frame.body },
        { "payload", frame.body, payload },
        { "padding", payload, frame.trailer },
    }
    local pieces = {}
    for _, region in ipairs(regions) do
        local name, from, to = region[1], region[2], region[3]
        if place >= from and place < to then
            to = place
        end
        if FORMAT.checksum.covers[name] then
            pieces[#pieces + 1] = octets:sub(from + 1, to)
        end
    end
    return table.concat(pieces)
end

local function hex(octets)
    return (octets:gsub(".", function(octet)
        return ("%02x"):format(octet:byte())
    end))
end

local function fault(item, what)
    item:add_proto_expert_info(EXPERT, what)
end

-- Whoever looks at one mark of a frame in the tree: all of it, and what in it has a name.
local function show_mark(tree, tvb, field, mark, at, frame, octets)
    if #mark == 0 then
        return
    end
    local item = tree:add(field, tvb(at, #mark))
    local wrong = misfit(mark, octets, at)
    if wrong then
        fault(item, wrong)
    end
    local id, id_len = within(mark, "id")
    if id then
        item:add(FIELDS.id, tvb(at + id, id_len))
    end
    local sum, sum_len = within(mark, "ck")
    if sum then
        local sum_item = item:add(FIELDS.checksum, tvb(at + sum, sum_len))
        local found = octets:sub(at + sum + 1, at + sum + sum_len)
        local expected = CHECKSUM(summed(frame, octets, at + sum))
        item:add(FIELDS.checksum_good, tvb(at + sum, sum_len), found == expected):set_generated()
        if found ~= expected then
            fault(sum_item, ("checksum %s where %s belongs"):format(hex(found), hex(expected)))
        end
    end
end

local function show_length(tree, tvb, frame)
    local range = tvb(frame.length, frame.after - frame.length)
    if FORMAT.length.form == "binary" then
        local add = FORMAT.length.order == "big" and tree.add or tree.add_le
        add(tree, FIELDS.length, range)
    elseif frame.count < EXACT then
        local high = math.floor(frame.count / 2.0 ^ 32)
        tree:add(FIELDS.length, range, UInt64.new(frame.count - high * 2.0 ^ 32, high))
    end
end

local function show_index(tree, tvb, octets, chunk, number)
    local range = tvb(chunk.index, INDEX.width)
    local add = INDEX.order == "big" and tree.add or tree.add_le
    local item = add(tree, FIELDS.index, range)
    local found = integer(octets, chunk.index, INDEX.width, INDEX.order, false)
    -- Behind the largest number comes 0.
    local expected = (INDEX.from + number) % 2.0 ^ (8 * INDEX.width)
    if found ~= expected then
        fault(item, ("index %.0f of a chunk where %.0f belongs"):format(found, expected))
    end
end

-- The chunks with their indexes, and the padding at the end of each.
local function show_chunks(tree, tvb, octets, frame)
    local left = frame.payload
    for number, chunk in ipairs(frame.chunks) do
        if chunk.index then
            show_index(tree, tvb, octets, chunk, number - 1)
        end
        local of_payload = math.min(left, chunk.len)
        if INDEX and of_payload > 0 then
            tree:add(FIELDS.chunk, tvb(chunk.at, of_payload))
        end
        if of_payload < chunk.len then
            tree:add(FIELDS.padding, tvb(chunk.at + of_payload, chunk.len - of_payload))
        end
        left = left - of_payload
    end
end

-- The payload by itself: where indexes stand in it, put together.
local function payload_of(tvb, octets, frame)
    if not INDEX then
        return tvb(frame.body, frame.payload)
    end
    local payload = content_of(frame, octets):sub(1, frame.payload)
    return ByteArray.new(payload, true):tvb("Payload of " .. FORMAT.profile):range()
end

local function show_payload(tree, tvb, pinfo, octets, frame)
    if frame.payload == 0 then
        return
    end
    local range = payload_of(tvb, octets, frame)
    local item = tree:add(FIELDS.payload, range)
    if FORMAT.payload == "utf-8" then
        item:add_packet_field(FIELDS.text, range, ENC_UTF_8)
    elseif FORMAT.payload == "json" and JSON then
        JSON:call(range:tvb(), pinfo, tree)
    end
end

local function show(tree, tvb, pinfo, octets, frame, around, from)
    local range = tvb(frame.at, frame.stop - frame.at)
    local item = tree:add(PROTO, range)
    item:append_text((", a frame of the %s, payload of %d octets"):format(from, frame.payload))
    item:add(FIELDS.from, range, from):set_generated()
    item:add(FIELDS.frame_len, range, frame.stop - frame.at):set_generated()
    item:add(FIELDS.payload_len, range, frame.payload):set_generated()
    item:add(FIELDS.padding_len, range, frame.content - frame.payload):set_generated()
    show_mark(item, tvb, FIELDS.before, around.before, frame.at, frame, octets)
    show_length(item, tvb, frame)
    show_mark(item, tvb, FIELDS.after, around.after, frame.after, frame, octets)
    show_chunks(item, tvb, octets, frame)
    show_mark(item, tvb, FIELDS.trailer, TRAILER, frame.trailer, frame, octets)
    show_payload(item, tvb, pinfo, octets, frame)
end

-- What is no frame, to the end of what there is.
local function show_rest(tree, tvb, octets, at, what)
    local item = tree:add(PROTO, tvb(at, #octets - at))
    item:append_text(", no frame: " .. what)
    fault(item, what)
end

local function tell(pinfo, frames, from)
    pinfo.cols.protocol = FORMAT.profile
    pinfo.cols.info = ("%d frame%s of the %s"):format(frames, frames == 1 and "" or "s", from)
end

local UDP = 3

-- Of a stream, whole frames and then what begins another, which is asked for again together with what follows. Of a
-- datagram, the one frame that it is.
function PROTO.dissector(tvb, pinfo, tree)
    local octets, at, frames = tvb:raw(), 0, 0
    local is_asked = pinfo.dst_port == pinfo.match_uint
    local from = is_asked and "client" or "server"
    local around = is_asked and REQUEST or REPLY
    local is_stream = pinfo.port_type ~= UDP
    while at < #octets do
        local frame, wanted, what = read(octets, at, around)
        if frame then
            frames = frames + 1
            show(tree, tvb, pinfo, octets, frame, around, from)
            at = frame.stop
        end
        if not frame and not what and is_stream and pinfo.can_desegment > 0 then
            pinfo.desegment_offset = at
            pinfo.desegment_len = wanted or DESEGMENT_ONE_MORE_SEGMENT
            break
        elseif not frame then
            show_rest(tree, tvb, octets, at, what or "its octets end before it does")
            break
        elseif not is_stream and at < #octets then
            show_rest(tree, tvb, octets, at, "octets behind the frame of a datagram")
            break
        end
    end
    tell(pinfo, frames, from)
    return #octets
end
