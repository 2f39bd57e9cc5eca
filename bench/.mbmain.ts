await (await import('./.mb.js')).run();
