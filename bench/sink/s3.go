package main

import (
	"bytes"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// kind is what a request asks for, as far as the sink tells requests apart.
type kind int

const (
	putObject kind = iota
	uploadPart
	createUpload
	completeUpload
	storeObject
	createResumable
	appendResumable
	completeResumable
	headObject
	getObject
	bucketExists
	getLocation
	listObjects
	listUploads
	listParts
	listBuckets
	deleteMany
	deleted
	findStored
	listStored
	kinds
)

var kindNames = [kinds]string{
	"putObject", "uploadPart", "createUpload", "completeUpload", "storeObject", "createResumable", "appendResumable",
	"completeResumable", "headObject", "getObject", "bucketExists",
	"getLocation", "listObjects", "listUploads", "listParts", "listBuckets", "deleteMany", "deleted",
	"findStored", "listStored",
}

// isObject tells the requests that carry objects, the ones a share or rate of refusals is about.
func (k kind) isObject() bool { return k <= completeResumable }

// storesObject tells the requests after which an object is there as a whole.
func (k kind) storesObject() bool {
	return k == putObject || k == completeUpload || k == storeObject || k == completeResumable
}

func kindOf(method, target []byte) kind {
	path, query, _ := bytes.Cut(target, []byte("?"))
	if below, ok := bytes.CutPrefix(path, supabasePath); ok {
		return supabaseKindOf(method, below)
	}
	_, key, _ := bytes.Cut(bytes.TrimPrefix(path, []byte("/")), []byte("/"))
	switch {
	case string(method) == "PUT" && len(key) == 0:
		return bucketExists
	case string(method) == "PUT" && has(query, "uploadId"):
		return uploadPart
	case string(method) == "PUT":
		return putObject
	case string(method) == "POST" && has(query, "uploads"):
		return createUpload
	case string(method) == "POST" && has(query, "uploadId"):
		return completeUpload
	case string(method) == "POST":
		return deleteMany
	case string(method) == "DELETE":
		return deleted
	case string(method) == "HEAD" && len(key) == 0:
		return bucketExists
	case string(method) == "HEAD":
		return headObject
	case has(query, "uploadId"):
		return listParts
	case len(key) > 0:
		return getObject
	case string(path) == "/":
		return listBuckets
	case has(query, "location"):
		return getLocation
	case has(query, "uploads"):
		return listUploads
	default:
		return listObjects
	}
}

func has(query []byte, name string) bool {
	for len(query) > 0 {
		var field []byte
		field, query, _ = bytes.Cut(query, []byte("&"))
		found, _, _ := bytes.Cut(field, []byte("="))
		if string(found) == name {
			return true
		}
	}
	return false
}

// An ETag with a suffix is not taken for an MD5 by any of the tools, so none compares it with what it sent.
const etag = `"5d41402abc4b2a76b9719d911017c592-1"`

const opening = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
const space = ` xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`

var continueAnswer = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// Every answer is the same each time but for its date, so they are made anew once a second only.
var answers atomic.Pointer[[kinds + 1][]byte]

const slowDown = kinds

func init() {
	renewAnswers()
	go func() {
		for range time.Tick(time.Second) {
			renewAnswers()
		}
	}()
}

func answerTo(asked request, refused bool) []byte {
	if refused {
		return answers.Load()[slowDown]
	}
	if made := answers.Load()[asked.kind]; made != nil {
		return made
	}
	return supabaseAnswer(asked)
}

func renewAnswers() {
	stored := "ETag: " + etag + "\r\n"
	made := [kinds + 1][]byte{
		putObject:      answer(200, stored, ""),
		uploadPart:     answer(200, stored, ""),
		createUpload:   answer(200, "", `<InitiateMultipartUploadResult`+space+`<Bucket>bench</Bucket><Key>key</Key><UploadId>upload</UploadId></InitiateMultipartUploadResult>`),
		completeUpload: answer(200, "", `<CompleteMultipartUploadResult`+space+`<Bucket>bench</Bucket><Key>key</Key><ETag>`+etag+`</ETag></CompleteMultipartUploadResult>`),
		headObject:     answer(404, "", ""),
		getObject:      answer(404, "", `<Error><Code>NoSuchKey</Code><Message>The sink keeps nothing.</Message></Error>`),
		bucketExists:   answer(200, "x-amz-bucket-region: us-east-1\r\n", ""),
		getLocation:    answer(200, "", `<LocationConstraint`+space+`</LocationConstraint>`),
		listObjects:    answer(200, "", `<ListBucketResult`+space+`<Name>bench</Name><Prefix></Prefix><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>`),
		listUploads:    answer(200, "", `<ListMultipartUploadsResult`+space+`<Bucket>bench</Bucket><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>`),
		listParts:      answer(200, "", `<ListPartsResult`+space+`<Bucket>bench</Bucket><IsTruncated>false</IsTruncated></ListPartsResult>`),
		listBuckets:    answer(200, "", `<ListAllMyBucketsResult`+space+`<Buckets><Bucket><Name>bench</Name></Bucket></Buckets></ListAllMyBucketsResult>`),
		deleteMany:     answer(200, "", `<DeleteResult`+space+`</DeleteResult>`),
		deleted:        answer(204, "", ""),
		findStored:     jsonAnswer(400, `{"statusCode":"404","error":"not_found","message":"Object not found"}`),
		listStored:     jsonAnswer(200, `[]`),
		slowDown:       answer(503, "", `<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`),
	}
	answers.Store(&made)
}

func answer(status int, headers, body string) []byte {
	if body != "" {
		body = opening + body
		headers += "Content-Type: application/xml\r\n"
	}
	if status != 204 {
		headers += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	date := time.Now().UTC().Format(http.TimeFormat)
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nDate: %s\r\nServer: sink\r\nx-amz-request-id: 0000000000000000\r\n%s\r\n%s",
		status, http.StatusText(status), date, headers, body)
}
