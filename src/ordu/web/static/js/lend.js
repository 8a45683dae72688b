// The page Lend a machine: the command with one's key, the note when a machine comes, one's own machines.
import { prepareCommand } from "./lend/command.js";
import { prepareMachines } from "./lend/machines.js";

prepareCommand();
prepareMachines();
