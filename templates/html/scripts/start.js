// Starts everything; a linked place is gone to last, when the page has its final height.
startThemes();
if (typeof startPlanner === "function") startPlanner(); // only a page with its form has the planner
startTables();
startFigures();
addEventListener("hashchange", keepView);
if (location.hash.includes("~")) document.getElementById(readView().place)?.scrollIntoView();
