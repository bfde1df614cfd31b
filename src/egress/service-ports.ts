/**
 * Ports where a URL may lead: 80, 443, and from 1024 on all but those of well-known services that are not the web
 * and would take commands from a request. None of them is above 32767: systems give those ports to anybody.
 */
export function isWebPort(port: number): boolean {
  if (port === 80 || port === 443) return true;
  return port >= 1024 && port <= 65_535 && !servicePorts.has(port);
}

const services: Readonly<Record<string, readonly number[]>> = {
  proxies: [1080, 3128],
  "SQL databases": [1433, 1434, 1521, 3050, 3306, 5432, 5433, 6432, 26257],
  "other databases": [5984, 7000, 7001, 7199, 7474, 7687, 8086, 9042, 9160, 9200, 9300, 28015, 29015],
  caches: [6379, 6380, 11211, 16379, 26379],
  MongoDB: [27017, 27018, 27019],
  "message brokers": [1883, 4222, 4369, 5671, 5672, 8883, 9092, 9093, 15672, 25672],
  "cluster control": [2181, 2375, 2376, 2377, 2379, 2380, 6443, 8500, 8600, 10250, 10255, 10256],
  "shared files": [2049, 4045],
  "remote desktops and shells": [3389, 5900, 5901, 5985, 5986, 6000, 6001],
  telephony: [1719, 1720, 1723, 5060, 5061],
  IRC: [6660, 6661, 6662, 6663, 6664, 6665, 6666, 6667, 6668, 6669, 6679, 6697],
  "others that browsers refuse": [3659, 4190, 6566, 10080],
};

const servicePorts: ReadonlySet<number> = new Set(Object.values(services).flat());
