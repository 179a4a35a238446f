#!/usr/bin/env node
// A correct server but for one bug behind three conditions: the third object on a connection in which `op` is `sync` ends it.
//
// Nothing that comes over the wire tells that a condition was met before the last one is.

import * as correct from "./correct.mjs";

class Client extends correct.Client {
  rounds = 0;

  answer(payload) {
    const reply = super.answer(payload);
    this.note(decoded(payload));
    return reply;
  }

  note(message) {
    if (message?.op) {
      if (message.op === "sync") {
        this.rounds += 1;
        if (this.rounds >= 3) {
          throw new correct.EndOfStream();
        }
      }
    }
  }
}

function decoded(payload) {
  try {
    return correct.decode(payload);
  } catch {
    return undefined;
  }
}

correct.main(Client);
