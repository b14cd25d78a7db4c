const { ClusterWorker, ThreadWorker } = require("poolifier");
const { isMainThread } = require("node:worker_threads");
module.exports = isMainThread ? new ClusterWorker((x) => x) : new ThreadWorker((x) => x);
