
local PROTO = Proto(FORMAT.name, "framespec: " .. FORMAT.profile)

PROTO.prefs.limit = Pref.uint("Largest body", FORMAT.limit, "Octets; a length that tells of more is malformed")

local function named(part)
    return FORMAT.name .. "." .. part
end

local FIELDS = {
    from = ProtoField.string(named("from"), "From"),
    frame_len = ProtoField.uint32(named("frame_len"), "Octets of the frame"),
    payload_len = ProtoField.uint32(named("payload_len"), "Octets of the payload"),
    padding_len = ProtoField.uint32(named("padding_len"), "Octets of the padding"),
    before = ProtoField.bytes(named("before"), "In front of the length"),
    length = ProtoField[FORMAT.length.kind](named("length"), "Length", base.DEC),
    after = ProtoField.bytes(named("after"), "Behind the length"),
    id = ProtoField.bytes(named("id"), "Id"),
    index = ProtoField[FORMAT.index and FORMAT.index.kind or "uint8"](named("index"), "Index", base.DEC),
    chunk = ProtoField.bytes(named("chunk"), "Chunk"),
    payload = ProtoField.bytes(named("payload"), "Payload"),
    text = ProtoField.string(named("text"), "Text", base.UNICODE),
    padding = ProtoField.bytes(named("padding"), "Padding"),
    trailer = ProtoField.bytes(named("trailer"), "Trailer"),
    checksum = ProtoField.bytes(named("checksum"), "Checksum"),
    checksum_good = ProtoField.bool(named("checksum_good"), "The checksum is right"),
}

for _, field in pairs(FIELDS) do
    table.insert(PROTO.fields, field)
end

local EXPERT = ProtoExpert.new(named("malformed"), "Malformed", expert.group.MALFORMED, expert.severity.ERROR)
PROTO.experts = { EXPERT }

local _, JSON = pcall(Dissector.get, "json")
