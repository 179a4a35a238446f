
-- A CRC whose bits go through the lowest first, as a number.
local function crc(octets, polynomial, from)
    local value = from
    for i = 1, #octets do
        value = bit.bxor(value, octets:byte(i))
        for _ = 1, 8 do
            local low = bit.band(value, 1)
            value = bit.rshift(value, 1)
            if low == 1 then
                value = bit.bxor(value, polynomial)
            end
        end
    end
    return value
end

local KINDS = {
    ["crc32"] = function(octets)
        return bit.bnot(crc(octets, 0xedb88320, 0xffffffff)), 4
    end,
    ["crc32c"] = function(octets)
        return bit.bnot(crc(octets, 0x82f63b78, 0xffffffff)), 4
    end,
    ["crc16-modbus"] = function(octets)
        return crc(octets, 0xa001, 0xffff), 2
    end,
}

local function CHECKSUM(octets)
    local value, width = KINDS[FORMAT.checksum.kind](octets)
    local all = ""
    for i = 1, width do
        local octet = string.char(bit.band(bit.rshift(value, 8 * (i - 1)), 0xff))
        all = FORMAT.checksum.order == "big" and octet .. all or all .. octet
    end
    return all
end
