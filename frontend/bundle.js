// Starts the app: makes modules of the small scripts, which come in one file, and lets all others import them.
// Without the file, the browser loads every script by itself, as Streamlit's own page does.
(async (file, entry, mark, map) => {
    const folder = new URL("./static/js/", document.baseURI).href;
    const add = (type, more) => document.head.append(Object.assign(document.createElement("script"), { type, ...more }));
    try {
        const answer = await fetch(folder + file);
        if (!answer.ok) throw new Error(`${answer.status} for ${file}`);
        const modules = {};
        for (const [name, text] of Object.entries(await answer.json())) {
            const lines = [text.replaceAll(mark, folder), `\n//# sourceURL=${folder}${name}`];
            modules[folder + name] = URL.createObjectURL(new Blob(lines, { type: "text/javascript" }));
        }
        map = { ...map, imports: { ...modules, ...map.imports } };
    } catch (error) {
        console.warn("The scripts are loaded one by one:", error);
    }
    // Before any module: older browsers accept no map after the first one.
    add("importmap", { textContent: JSON.stringify(map) });
    add("module", { crossOrigin: "", src: folder + entry });
})(ARGUMENTS);
