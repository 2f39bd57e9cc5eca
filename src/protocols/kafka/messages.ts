/**
 * Every message of the Kafka protocol, from the message definitions of Apache Kafka 3.9 (versions that 4.0 removed) and
 * 4.4 (clients/src/main/resources/common/message): key, name, versions, the first flexible version (`-`: none); below it
 * the layout of the request (`>`) and of the response (`<`) up to the last field that has a role. See `layout.ts`.
 */
export const MESSAGES = `
0 Produce 0-13 9
> transaction:s@3- acks:h i [id:u@13 topic:s@-12 [partition:i records:r]]
< [id:u@13 topic:s@-12 [partition:i error:h offset:l l@2- l@5- [i s]@8- s@8-]]
1 Fetch 0-18 12
> i@-14 wait:i least:i i@3- b@4- session:i@7- epoch:i@7- [id:u@13- topic:s@-12 [partition:i i@9- l i@12- l@5- i]] forgotten:[id:u@13- topic:s@-12 partition:*i]@7- s@11-
< i@1- error:h@7- session:i@7- [id:u@13- topic:s@-12 [partition:i error:h l l@4- l@5- [l l]@4- i@11- records:r]]
2 ListOffsets 0-11 6
> i b@2- [topic:s [partition:i i@4- l i@0]] i@10-
< i@2- [topic:s [partition:i error:h l@1- l@1- i@4- *l@0]]
3 Metadata 0-13 9
> [id:u@10- topic:s] b@4- b@8-10 b@8-
< i@3- [i s i s@1-] s@2- i@1- [error:h topic:s id:u@10- b@1- [error:h partition:i i i@7- *i *i *i@5-] i@8-] error:h@13
4 LeaderAndIsr 0-7 4
> i b@7 i l@2- b@5- [topic:s id:u@5- [partition:i i i i *i i *i *i@3- *i@3- b b@6-]]@2- [topic:s partition:i i i i *i i *i b@1]@-1 [i s i]
< error:h [id:u [partition:i error:h]]@5- [topic:s partition:i error:h]@-4
5 StopReplica 0-4 2
> i b@4 i l@1- [topic:s [partition:i i b]]@3- b@-2 [topic:s partition:*i]@1-2 [topic:s partition:i]@0
< error:h [topic:s partition:i error:h]
6 UpdateMetadata 0-8 6
> i b@8 i l@5- [topic:s id:u@7- [partition:i i i i *i i *i *i]]@5- [topic:s partition:i i i i *i i *i *i@4]@-4 [i [i s s@3- h]@1- s@2- s@0 i@0]
< error:h
7 ControlledShutdown 0-3 3
> i l@2-
< error:h [topic:s partition:i]
8 OffsetCommit 0-10 8
> group:s i@1- s@1- s@7- l@2-4 [id:u@10 topic:s@-9 [partition:i l i@6- l@1 s]]
< i@3- [id:u@10 topic:s@-9 [partition:i error:h]]
9 OffsetFetch 0-10 6
> [group:s s@9- i@9- [id:u@10 topic:s@-9 partition:*i]]@8- group:s@-7 [topic:s partition:*i]@-7 b@7-
< i@3- [group:s [id:u@10 topic:s@-9 [partition:i l i s error:h]] error:h]@8- [topic:s [partition:i l i@5- s error:h]]@-7 error:h@2-7
10 FindCoordinator 0-6 3
> key:s@-3 keyType:b@1- key:*s@4-
< i@1- [s i s i error:h s]@4- error:h@-3
11 JoinGroup 0-9 6
> group:s i i@1- s s@5- s [s B] s@8-
< i@2- error:h
12 Heartbeat 0-4 4
> group:s i s s@3-
< i@1- error:h
13 LeaveGroup 0-5 4
> group:s [s s s@5]@3- s@-2
< i@1- error:h [s s error:h]@3-
14 SyncGroup 0-5 4
> group:s i s s@3- s@5 s@5 [s B]
< i@1- error:h
15 DescribeGroups 0-6 5
> group:*s b@3-
< i@1- [error:h s@6 group:s s s s [s s@4- s s B B] i@3-]
16 ListGroups 0-5 3
> *s@4- *s@5
< i@1- error:h [group:s s s@4- s@5]
17 SaslHandshake 0-1 -
> s
< error:h
18 ApiVersions 0-5 3
> s@3- s@3- s@5 i@5
< error:h
19 CreateTopics 0-7 5
> [topic:s i h [partition:i *i] [s s]] i b@1-
< i@2- [topic:s id:u@7 error:h s@1- i@5- h@5- [s s b b b]@5-]
20 DeleteTopics 0-6 4
> [topic:s id:u]@6 *s@-5 i
< i@1- [topic:s id:u@6 error:h s@5-]
21 DeleteRecords 0-2 2
> [topic:s [partition:i l]] i
< i [topic:s [partition:i l error:h]]
22 InitProducerId 0-6 2
> transaction:s i l@3- h@3- b@6 b@6
< i error:h
23 OffsetForLeaderEpoch 0-4 4
> i@3- [topic:s [partition:i i@2- i]]
< i@2- [topic:s [error:h partition:i i@1- l]]
24 AddPartitionsToTxn 0-5 3
> [transaction:s l h b [topic:s partition:*i]]@4- s@-3 l@-3 h@-3 [s *i]@-3
< i error:h@4- [s [topic:s [partition:i error:h]]]@4- [s [i error:h]]@-3
25 AddOffsetsToTxn 0-4 3
> transaction:s l h group:s
< i error:h
26 EndTxn 0-5 3
> transaction:s l h b
< i error:h
27 WriteTxnMarkers 0-2 1
> [l h b [topic:s partition:*i] i b@2]
< [l [topic:s [partition:i error:h]]]
28 TxnOffsetCommit 0-6 3
> transaction:s group:s l h i@3- s@3- s@3- [id:u@6 topic:s@-5 [partition:i l i@2- s]]
< i [id:u@6 topic:s@-5 [partition:i error:h]]
29 DescribeAcls 0-3 2
> b s b@1- s s b b
< i error:h
30 CreateAcls 0-3 2
> [b s b@1- s s b b]
< i [error:h s]
31 DeleteAcls 0-3 2
> [b s b@1- s s b b]
< i [error:h s [error:h s b s b@1- s s b b]]
32 DescribeConfigs 0-4 4
> [b s *s] b@1- b@3-
< i [error:h s b s [s s b b@1- b@0 b [s s b]@1- b@3- s@3-]]
33 AlterConfigs 0-2 2
> [b s [s s]] b
< i [error:h s b s]
34 AlterReplicaLogDirs 0-2 2
> [s [topic:s partition:*i]]
< i [topic:s [partition:i error:h]]
35 DescribeLogDirs 0-5 2
> [topic:s partition:*i]
< i error:h@3- [error:h s [topic:s [partition:i l l b]] l@4- l@4- b@5]
36 SaslAuthenticate 0-2 2
> B
< error:h
37 CreatePartitions 0-3 2
> [topic:s i [*i]] i b
< i [topic:s error:h s]
38 CreateDelegationToken 0-3 2
> s@3 s@3 [s s] l
< error:h
39 RenewDelegationToken 0-2 2
> B l
< error:h
40 ExpireDelegationToken 0-2 2
> B l
< error:h
41 DescribeDelegationToken 0-3 2
> [s s]
< error:h
42 DeleteGroups 0-3 2
> group:*s
< i [group:s error:h s@3]
43 ElectLeaders 0-2 2
> b@1- [topic:s partition:*i] i
< i error:h@1- [topic:s [partition:i error:h s]]
44 IncrementalAlterConfigs 0-1 1
> [b s [s b s]] b
< i [error:h s b s]
45 AlterPartitionReassignments 0-1 0
> i b@1 [topic:s [partition:i *i]]
< i b@1 error:h s [topic:s [partition:i error:h s]]
46 ListPartitionReassignments 0-0 0
> i [topic:s partition:*i]
< i error:h s [topic:s [partition:i *i *i *i]]
47 OffsetDelete 0-0 -
> group:s [topic:s [partition:i]]
< error:h i [topic:s [partition:i error:h]]
48 DescribeClientQuotas 0-1 1
> [s b s] b
< i error:h
49 AlterClientQuotas 0-1 1
> [[s s] [s l b]] b
< i [error:h s [s s]]
50 DescribeUserScramCredentials 0-0 0
> [s]
< i error:h s [s error:h s [b i]]
51 AlterUserScramCredentials 0-0 0
> [s b] [s b i B B]
< i [s error:h s]
52 Vote 0-2 0
> s i@1- [topic:s [partition:i i i u@1- u@1- i l b@2]]
< error:h [topic:s [partition:i error:h i i b]]
53 BeginQuorumEpoch 0-1 1
> s i@1 [topic:s [partition:i u@1 i i]] [s s h]@1
< error:h [topic:s [partition:i error:h i i]]
54 EndQuorumEpoch 0-1 1
> s [topic:s [partition:i i i [i u]@1 *i@0]] [s s h]@1
< error:h [topic:s [partition:i error:h i i]]
55 DescribeQuorum 0-2 0
> [topic:s [partition:i]]
< error:h s@2 [topic:s [partition:i error:h s@2 i i l [i u@2 l l@1- l@1-] [i u@2 l l@1- l@1-]]]
56 AlterPartition 0-3 0
> i l [id:u@2- topic:s@-1 [partition:i i [i l]@3 *i@-2 b@1- i]]
< i error:h [id:u@2- topic:s@-1 [partition:i error:h i i *i b@1- i]]
57 UpdateFeatures 0-2 0
> i [s h b@1- b@0] b@1-
< i error:h s [s error:h s]@-1
58 Envelope 0-0 0
> B B B
< B error:h
59 FetchSnapshot 0-1 0
> i i [topic:s [partition:i i (l i) l]]
< i error:h [topic:s [partition:i error:h (l i) l l records:r]]
60 DescribeCluster 0-2 0
> b b@1- b@2
< i error:h
61 DescribeProducers 0-0 0
> [topic:s partition:*i]
< i [topic:s [partition:i error:h s [l i i l i l]]]
62 BrokerRegistration 0-4 0
> i s u [s s h h] [s h h] s b@1- *u@2- l@3-
< i error:h
63 BrokerHeartbeat 0-2 0
> i l l b b
< i error:h
64 UnregisterBroker 0-0 0
> i
< i error:h
65 DescribeTransactions 0-0 0
> *s
< i [error:h s s i l l h [topic:s partition:*i]]
66 ListTransactions 0-2 0
> *s *l l@1- s@2
< i error:h
67 AllocateProducerIds 0-0 0
> i l
< i error:h
68 ConsumerGroupHeartbeat 0-1 0
> group:s s i s s i topic:*s s@1 s [id:u partition:*i]
< i error:h s s i i ?([id:u partition:*i])
69 ConsumerGroupDescribe 0-1 0
> group:*s b
< i [error:h s group:s s i i s [s s s i s s topic:*s s ([id:u topic:s partition:*i]) ([id:u topic:s partition:*i]) b@1] i]
70 ControllerRegistration 0-0 0
> i u b [s s h h] [s h h]
< i error:h
71 GetTelemetrySubscriptions 0-0 0
> u
< i error:h
72 PushTelemetry 0-0 0
> u i b b B
< i error:h
73 AssignReplicasToDirs 0-0 0
> i l [u [id:u [partition:i]]]
< i error:h [u [id:u [partition:i error:h]]]
74 ListConfigResources 0-1 0
> *b@1
< i error:h
75 DescribeTopicPartitions 0-0 0
> [topic:s] i ?(topic:s partition:i)
< i [error:h topic:s id:u b [error:h partition:i i i *i *i *i *i *i] i] ?(topic:s partition:i)
76 ShareGroupHeartbeat 0-1 0
> group:s s i s topic:*s
< i error:h s s i i ?([id:u partition:*i])@1 ([id:u partition:*i])@0
77 ShareGroupDescribe 0-1 0
> group:*s b
< i [error:h s group:s s i i s [s s i s s topic:*s ([id:u topic:s partition:*i])] i]
78 ShareFetch 0-2 0
> group:s s i wait:i least:i i i@1- i@1- b@2 b@2 [id:u [partition:i i@0 [l l *b]]] forgotten:[id:u partition:*i]
< i error:h s i@1- [id:u [partition:i error:h s error:h s (i i) records:r [l l h]]]
79 ShareAcknowledge 0-2 0
> group:s s i b@2 [id:u [partition:i [l l *b]]]
< i error:h s i@2 [id:u [partition:i error:h s (i i)]]
80 AddRaftVoter 0-1 0
> s i i u [s s h] b@1
< i error:h
81 RemoveRaftVoter 0-0 0
> s i u
< i error:h
82 UpdateRaftVoter 0-0 0
> s i i u [s s h] (h h)
< i error:h
83 InitializeShareGroupState 0-0 0
> group:s [id:u [partition:i i l]]
< [id:u [partition:i error:h s]]
84 ReadShareGroupState 0-0 0
> group:s [id:u [partition:i i]]
< [id:u [partition:i error:h s i l [l l b h]]]
85 WriteShareGroupState 0-1 0
> group:s [id:u [partition:i i i l i@1 [l l b h]]]
< [id:u [partition:i error:h s]]
86 DeleteShareGroupState 0-0 0
> group:s [id:u [partition:i]]
< [id:u [partition:i error:h s]]
87 ReadShareGroupStateSummary 0-1 0
> group:s [id:u [partition:i i]]
< [id:u [partition:i error:h s i i l i@1]]
88 StreamsGroupHeartbeat 0-1 0
> group:s s i i s s i ?(i [s *s *s [s i h [s s]] *s [s i h [s s]] [*h *h *h]]) [s *i] [s *i] [s *i] s ?(s h) [s s] [s i l] [s i l] b
< i error:h s s i i i@0 i l@1 [b s] [s *i] [s *i] [s *i] b@1 i [(s h) [topic:s partition:*i] [topic:s partition:*i]]
89 StreamsGroupDescribe 0-1 0
> group:*s b b@1
< i [error:h s group:s s i i ?(i [s *s *s [s i h [s s]] [s i h [s s]]]) [s i s s s s i s ?(s h) [s s] [s i l] [s i l] ([s *i] [s *i] [s *i]) ([s *i] [s *i] [s *i]) b] i ?([s [s b *s s *s *s]] [(s b *s s *s *s) (s b *s s *s *s)])@1 b@1 s@1]
90 DescribeShareGroupOffsets 0-1 0
> [group:s [topic:s partition:*i]]
< i [group:s [topic:s id:u [partition:i l i l@1 error:h s]] error:h s]
91 AlterShareGroupOffsets 0-0 0
> group:s [topic:s [partition:i l]]
< i error:h s [topic:s id:u [partition:i error:h s]]
92 DeleteShareGroupOffsets 0-0 0
> group:s [topic:s]
< i error:h s [topic:s id:u error:h s]
93 StreamsGroupTopologyDescriptionUpdate 0-0 0
> group:s s i ([s [s b *s s *s *s]] [(s b *s s *s *s) (s b *s s *s *s)])
< i error:h
94 UnregisterController 0-0 0
> i
< i error:h
`;
