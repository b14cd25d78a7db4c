import workerpool from "workerpool";
workerpool.worker({ echo: (x) => x });
