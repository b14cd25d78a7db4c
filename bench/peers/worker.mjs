// The function of piscina and tinypool: gives back what it gets.
export default (x) => x;
