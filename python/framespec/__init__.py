"""The program `conformance`, brought by a wheel, and a plugin for pytest that plays its cases as tests."""
