// A gRPC server that answers the standard health check, and the load on it: a watched application of bench/overhead.
//
//	grpc-bench serve                                 prints its port; ends with its standard input
//	grpc-bench load PORT SECONDS RATE CONNECTIONS    prints {"requests":…,"p50Us":…,"p99Us":…}; rate 0: as fast as it goes
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "serve" {
		serve()
	} else if len(os.Args) == 6 && os.Args[1] == "load" {
		load(number(2), number(3), number(4), number(5))
	} else {
		log.Fatal("usage: grpc-bench serve | load PORT SECONDS RATE CONNECTIONS")
	}
}

func number(index int) int {
	value, err := strconv.Atoi(os.Args[index])
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(server.Serve(listener))
}

func load(port, seconds, rate, connections int) {
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	latencies := make([][]time.Duration, connections)
	var group sync.WaitGroup
	for i := range connections {
		group.Add(1)
		go func() {
			defer group.Done()
			latencies[i] = calls(port, end, rate, connections)
		}()
	}
	group.Wait()
	var all []time.Duration
	for _, some := range latencies {
		all = append(all, some...)
	}
	sort.Slice(all, func(a, b int) bool { return all[a] < all[b] })
	at := func(share float64) float64 {
		if len(all) == 0 {
			return 0
		}
		return float64(all[int(float64(len(all)-1)*share)].Nanoseconds()) / 1000
	}
	result := map[string]any{"requests": len(all), "p50Us": at(0.5), "p99Us": at(0.99)}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		log.Fatal(err)
	}
}

// calls makes one call after another on a connection of its own.
func calls(port int, end time.Time, rate, connections int) []time.Duration {
	client, err := grpc.NewClient(fmt.Sprintf("127.0.0.1:%d", port),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	check := grpc_health_v1.NewHealthClient(client)
	var latencies []time.Duration
	next := time.Now()
	for time.Now().Before(end) {
		start := time.Now()
		if _, err := check.Check(context.Background(), &grpc_health_v1.HealthCheckRequest{}); err != nil {
			log.Fatal(err)
		}
		latencies = append(latencies, time.Since(start))
		if rate > 0 {
			next = next.Add(time.Second * time.Duration(connections) / time.Duration(rate))
			time.Sleep(time.Until(next))
		}
	}
	return latencies
}
