package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

// Everything of Supabase's storage API lies below this.
var supabasePath = []byte("/storage/v1/")

var (
	objectPath    = []byte("object/")
	infoPath      = []byte("object/info/")
	listPath      = []byte("object/list/")
	resumablePath = []byte("upload/resumable")
)

// supabaseKindOf tells apart what is asked for below supabasePath; path is what follows it.
func supabaseKindOf(method, path []byte) kind {
	switch {
	case bytes.HasPrefix(path, resumablePath) && string(method) == "POST":
		return createResumable
	case bytes.HasPrefix(path, resumablePath) && string(method) == "PATCH":
		return appendResumable
	case bytes.HasPrefix(path, listPath):
		return listStored
	case bytes.HasPrefix(path, objectPath) && string(method) == "POST":
		return storeObject
	case bytes.HasPrefix(path, infoPath), bytes.HasPrefix(path, resumablePath):
		return findStored
	default:
		return deleted
	}
}

// The sink keeps nothing, so an upload's address holds what has to be known of it: its length.
var uploadNumber atomic.Int64

func lengthIn(target []byte) int64 {
	_, id, _ := bytes.Cut(target, append(resumablePath, '/'))
	digits, _, _ := bytes.Cut(id, []byte("-"))
	length, _ := strconv.ParseInt(string(digits), 10, 64)
	return length
}

// keyIn is the key that is told back: who is told another warns of it.
func keyIn(target []byte) string {
	key, _ := url.PathUnescape(string(target[len(supabasePath)+len(objectPath):]))
	return key
}

// supabaseAnswer is made anew each time: it says what was stored, where an upload is, or how far it has come.
func supabaseAnswer(asked request) []byte {
	switch asked.kind {
	case storeObject:
		body, _ := json.Marshal(map[string]string{"Id": "00000000-0000-0000-0000-000000000000", "Key": asked.storedKey})
		return jsonAnswer(http.StatusOK, string(body))
	case createResumable:
		address := fmt.Sprintf("%s%s/%d-%d", supabasePath, resumablePath, asked.uploadLength, uploadNumber.Add(1))
		return tusAnswer(http.StatusCreated, "Location: "+address+"\r\nContent-Length: 0\r\n")
	default:
		return tusAnswer(http.StatusNoContent, fmt.Sprintf("Upload-Offset: %d\r\n", asked.uploadOffset+asked.size))
	}
}

func tusAnswer(status int, headers string) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nDate: %s\r\nTus-Resumable: 1.0.0\r\n%s\r\n",
		status, http.StatusText(status), time.Now().UTC().Format(http.TimeFormat), headers)
}

func jsonAnswer(status int, body string) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		status, http.StatusText(status), time.Now().UTC().Format(http.TimeFormat), len(body), body)
}
