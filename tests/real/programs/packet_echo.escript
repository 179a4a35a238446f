#!/usr/bin/env escript
%% gen_tcp with {packet, 4} as a server that echoes, a process for each client: `escript packet_echo.escript PORT`.
main([Port]) ->
    Options = [binary, {packet, 4}, {active, false}, {ip, {127, 0, 0, 1}}, {backlog, 64}, {packet_size, 1048576}],
    {ok, Listener} = gen_tcp:listen(list_to_integer(Port), Options),
    accept(Listener).

accept(Listener) ->
    {ok, Socket} = gen_tcp:accept(Listener),
    Client = spawn(fun() -> receive begin_now -> echo(Socket) end end),
    ok = gen_tcp:controlling_process(Socket, Client),
    Client ! begin_now,
    accept(Listener).

echo(Socket) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, Message} -> ok = gen_tcp:send(Socket, Message), echo(Socket);
        {error, _} -> gen_tcp:close(Socket)
    end.
