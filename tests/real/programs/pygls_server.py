"""A language server of pygls without features, on its standard input and output."""

from pygls.lsp.server import LanguageServer

LanguageServer("nothing", "1").start_io()
