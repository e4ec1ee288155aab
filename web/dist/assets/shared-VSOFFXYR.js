function r(s,t){let n=s??[];if(t.closed)return n.filter(i=>i.visit!==t.visit);let e=n.findIndex(i=>i.visit===t.visit);return e<0?[t,...n]:n.map((i,d)=>d===e?t:i)}export{r as a};
