def shown(octets):
    more = f" and {len(octets) - 80} octets more" if len(octets) > 80 else ""
    return f"{octets[:80]!r}{more}"


def begin(sock, speaker, own=None, whole=True):
    # What is said before the first frame, turn by turn; None for any octet, or for a frame. What a side says by
    # itself are segments, turn by turn.
    for turn, says, expected in PROLOGUE:
        if turn == speaker:
            if own is not None and not own:
                return
            for octets in [says] if own is None else own.pop(0):
                sock.sendall(octets)
                time.sleep(0 if own is None else BETWEEN)
            if own == [] and not whole:
                return
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
