import{a as e,b as o}from"./shared-AUTBZHZL.js";e(o("p",{children:"Eyebolt"}),document.getElementById("app"));
