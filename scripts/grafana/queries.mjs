/**
 * Parts of the queries of the dashboard for Grafana. In a query `@` stands for the servers that the reader chose, and `[~]` for
 * the time between two points.
 */

/** The sum over all servers. @param {string} query @param {readonly string[]} labels it is split by these */
export function sum(query, labels = []) {
  return labels.length === 0 ? `sum(${query})` : `sum by (${labels.join(', ')}) (${query})`;
}

/**
 * What so large a part of a histogram's values lies below, over all servers.
 * @param {number} ratio from 0 to 1
 * @param {string} buckets the name of the histogram, and in braces what is chosen of it
 * @param {readonly string[]} labels it is split by these
 */
export function quantile(ratio, buckets, labels = []) {
  return `histogram_quantile(${ratio}, ${sum(`rate(${buckets}[~])`, ['le', ...labels])})`;
}

/** A query as Prometheus and Grafana know it. @param {string} query */
export function written(query) {
  return query.replaceAll('@', 'job=~"$job", instance=~"$instance"').replaceAll('[~]', '[$__rate_interval]');
}
