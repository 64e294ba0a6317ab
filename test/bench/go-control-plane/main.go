// go-control-plane serving the fleet that the xDS bench has: so many services of so many endpoints over ADS, delta and state of the world,
// from its snapshot cache. Prints {"port": N}, then answers each JSON line on stdin with one on stdout; ends when stdin does.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpoint "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	ads "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type command struct {
	Do    string `json:"do"`
	Count int    `json:"count"`
}

type answer struct {
	Port   int       `json:"port,omitempty"`
	Ms     []float64 `json:"ms,omitempty"`
	CPUMs  float64   `json:"cpuMs"`
	RSSMib float64   `json:"rssMib"`
}

// All streams are of one node group.
type oneGroup struct{}

func (oneGroup) ID(*core.Node) string { return "all" }

// acks counts responses that came back with their nonce.
type acks struct {
	server.CallbackFuncs
	mutex sync.Mutex
	seen  map[string]chan struct{}
}

func (a *acks) expect(typeURL string) <-chan struct{} {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	done := make(chan struct{}, 16)
	a.seen[typeURL] = done
	return done
}

func (a *acks) tell(typeURL, nonce string) {
	if nonce == "" {
		return
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if done := a.seen[typeURL]; done != nil {
		select {
		case done <- struct{}{}:
		default:
		}
	}
}

func seconds(n float64) *durationpb.Duration {
	return durationpb.New(time.Duration(n * float64(time.Second)))
}

func clusterOf(name string) *cluster.Cluster {
	return &cluster.Cluster{
		Name:                 name,
		ClusterDiscoveryType: &cluster.Cluster_Type{Type: cluster.Cluster_EDS},
		EdsClusterConfig: &cluster.Cluster_EdsClusterConfig{EdsConfig: &core.ConfigSource{
			ResourceApiVersion:    core.ApiVersion_V3,
			ConfigSourceSpecifier: &core.ConfigSource_Ads{Ads: &core.AggregatedConfigSource{}},
			InitialFetchTimeout:   seconds(1),
		}},
		ConnectTimeout: seconds(0.5),
		HealthChecks: []*core.HealthCheck{{
			Timeout: seconds(1), Interval: seconds(1), NoTrafficInterval: seconds(1),
			UnhealthyThreshold: wrapperspb.UInt32(2), HealthyThreshold: wrapperspb.UInt32(1),
			HealthChecker: &core.HealthCheck_HttpHealthCheck_{HttpHealthCheck: &core.HealthCheck_HttpHealthCheck{Path: "/"}},
		}},
		CircuitBreakers: &cluster.CircuitBreakers{Thresholds: []*cluster.CircuitBreakers_Thresholds{{
			MaxConnections: wrapperspb.UInt32(1e9), MaxPendingRequests: wrapperspb.UInt32(1e9),
			MaxRequests: wrapperspb.UInt32(1e9), MaxRetries: wrapperspb.UInt32(1e9),
		}}},
	}
}

func endpointsOf(name string, n, instances int, weight uint32) *endpoint.ClusterLoadAssignment {
	all := make([]*endpoint.LbEndpoint, instances)
	for k := range all {
		weighs := uint32(1)
		if k == 0 {
			weighs = weight
		}
		all[k] = &endpoint.LbEndpoint{
			LoadBalancingWeight: wrapperspb.UInt32(weighs),
			HealthStatus:        core.HealthStatus_HEALTHY,
			HostIdentifier: &endpoint.LbEndpoint_Endpoint{Endpoint: &endpoint.Endpoint{Address: &core.Address{
				Address: &core.Address_SocketAddress{SocketAddress: &core.SocketAddress{
					Address:       fmt.Sprintf("127.%d.%d.%d", 1+k%200, n>>8, n&255),
					PortSpecifier: &core.SocketAddress_PortValue{PortValue: 9},
				}},
			}}},
		}
	}
	return &endpoint.ClusterLoadAssignment{ClusterName: name, Endpoints: []*endpoint.LocalityLbEndpoints{{LbEndpoints: all}}}
}

func routeTo(name string) *route.Route {
	return &route.Route{
		Name:  "service/" + name,
		Match: &route.RouteMatch{PathSpecifier: &route.RouteMatch_PathSeparatedPrefix{PathSeparatedPrefix: "/agents/" + name}},
		Action: &route.Route_Route{Route: &route.RouteAction{
			ClusterSpecifier: &route.RouteAction_Cluster{Cluster: name}, PrefixRewrite: "/", Timeout: seconds(10), IdleTimeout: seconds(0),
		}},
	}
}

type fleet struct {
	clusters, endpoints, routes []types.Resource
	instances                   int
	revision                    int
	cache                       cache.SnapshotCache
	listeners                   []types.Resource
}

func (f *fleet) add() {
	n := len(f.clusters)
	name := fmt.Sprintf("s-%05d", n)
	f.clusters = append(f.clusters, clusterOf(name))
	f.endpoints = append(f.endpoints, endpointsOf(name, n, f.instances, 1))
	f.routes = append(f.routes, routeTo(name))
}

// publish gives each kind a version of its own; the delta server compares resources one by one.
func (f *fleet) publish(versions map[resource.Type]string) {
	host := &route.VirtualHost{Name: "all", Domains: []string{"*"}}
	for _, one := range f.routes {
		host.Routes = append(host.Routes, one.(*route.Route))
	}
	table := &route.RouteConfiguration{Name: "clients", VirtualHosts: []*route.VirtualHost{host}}
	snapshot := &cache.Snapshot{}
	for kind, items := range map[resource.Type][]types.Resource{
		resource.ClusterType: f.clusters, resource.EndpointType: f.endpoints,
		resource.RouteType: {table}, resource.ListenerType: f.listeners,
	} {
		snapshot.Resources[cache.GetResponseType(kind)] = cache.NewResources(versions[kind], items)
	}
	if err := f.cache.SetSnapshot(context.Background(), "all", snapshot); err != nil {
		panic(err)
	}
}

func usage() (cpuMs, rssMib float64) {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	cpuMs = float64(used.Utime.Nano()+used.Stime.Nano()) / 1e6
	text, _ := os.ReadFile("/proc/self/statm")
	if fields := strings.Fields(string(text)); len(fields) > 1 {
		pages, _ := strconv.Atoi(fields[1])
		rssMib = float64(pages*os.Getpagesize()) / 1024 / 1024
	}
	return cpuMs, rssMib
}

func main() {
	services := flag.Int("services", 1000, "how many services")
	instances := flag.Int("instances", 10, "how many endpoints each has")
	flag.Parse()

	told := &acks{seen: map[string]chan struct{}{}}
	told.StreamRequestFunc = func(_ int64, request *ads.DiscoveryRequest) error {
		told.tell(request.TypeUrl, request.ResponseNonce)
		return nil
	}
	told.StreamDeltaRequestFunc = func(_ int64, request *ads.DeltaDiscoveryRequest) error {
		told.tell(request.TypeUrl, request.ResponseNonce)
		return nil
	}

	f := &fleet{
		instances: *instances,
		// Not its ADS mode, which answers a request only if it names everything.
		cache:     cache.NewSnapshotCache(false, oneGroup{}, nil),
		listeners: []types.Resource{&listener.Listener{Name: "clients"}},
	}
	for range *services {
		f.add()
	}
	versions := map[resource.Type]string{
		resource.ClusterType: "1", resource.EndpointType: "1", resource.RouteType: "1", resource.ListenerType: "1",
	}
	f.publish(versions)

	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	served := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	ads.RegisterAggregatedDiscoveryServiceServer(served, server.NewServer(context.Background(), f.cache, told))
	go func() { _ = served.Serve(socket) }()

	out := json.NewEncoder(os.Stdout)
	_ = out.Encode(answer{Port: socket.Addr().(*net.TCPAddr).Port})
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var asked command
		if json.Unmarshal(lines.Bytes(), &asked) != nil {
			continue
		}
		before, _ := usage()
		var result answer
		for n := range asked.Count {
			began := time.Now()
			f.revision++
			next := strconv.Itoa(f.revision + 1)
			var waits []<-chan struct{}
			switch asked.Do {
			case "endpoint":
				at := n * 7 % len(f.endpoints)
				f.endpoints[at] = endpointsOf(fmt.Sprintf("s-%05d", at), at, f.instances, uint32(2+f.revision%97))
				versions[resource.EndpointType] = next
				waits = append(waits, told.expect(resource.EndpointType))
			case "service":
				f.add()
				for _, kind := range []resource.Type{resource.ClusterType, resource.EndpointType, resource.RouteType} {
					versions[kind] = next
					waits = append(waits, told.expect(kind))
				}
			}
			f.publish(versions)
			for _, done := range waits {
				select {
				case <-done:
				case <-time.After(10 * time.Second):
					fmt.Fprintln(os.Stderr, "no ACK came")
					os.Exit(1)
				}
			}
			result.Ms = append(result.Ms, float64(time.Since(began).Microseconds())/1000)
			time.Sleep(map[string]time.Duration{"endpoint": 8, "service": 30}[asked.Do] * time.Millisecond)
		}
		after, _ := usage()
		if asked.Do == "usage" {
			debug.FreeOSMemory()
			before = 0
		}
		result.CPUMs = after - before
		_, result.RSSMib = usage()
		_ = out.Encode(result)
	}
}
