// A server of the bench: Go's net, a goroutine for each client, and encoding/json asked whether it is JSON.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
)

func serve(conn net.Conn) {
	defer conn.Close()
	reader, writer := bufio.NewReader(conn), bufio.NewWriter(conn)
	var frame []byte
	for {
		header, err := reader.Peek(4)
		if err != nil {
			return
		}
		size := 4 + int(binary.BigEndian.Uint32(header))
		if cap(frame) < size {
			frame = make([]byte, size)
		}
		frame = frame[:size]
		if _, err := io.ReadFull(reader, frame); err != nil {
			return
		}
		if !json.Valid(bytes.TrimRight(frame[4:], "\x00")) {
			return
		}
		if _, err := writer.Write(frame); err != nil {
			return
		}
		// What has come is answered together.
		if reader.Buffered() < 4 {
			if err := writer.Flush(); err != nil {
				return
			}
		}
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		conn, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go serve(conn)
	}
}
