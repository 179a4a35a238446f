def shown(octets):
    more = f" and {len(octets) - 80} octets more" if len(octets) > 80 else ""
    return f"{octets[:80]!r}{more}"


def begin(sock, speaker):
    # What is said before the first frame, turn by turn; None for any octet, or for a frame.
    for turn, says, expected in PROLOGUE:
        if turn == speaker:
            sock.sendall(says)
            continue
        came = b""
        while len(came) != (frame_size(came) if expected is None else len(expected)):
            octet = sock.recv(1)
            if not octet:
                break
            came += octet
        fits = expected is None or len(came) == len(expected)
        fits = fits and all(e in (None, o) for e, o in zip(expected or [], came))
        say("", f"the {turn} begins with {shown(came)}{'' if fits else ', which is WRONG'}")
