
for _, name in ipairs({ "tcp.port", "udp.port" }) do
    local ports = DissectorTable.get(name)
    if FORMAT.port then
        ports:add(FORMAT.port, PROTO)
    else
        ports:add_for_decode_as(PROTO)
    end
end
