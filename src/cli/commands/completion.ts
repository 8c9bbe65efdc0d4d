import { Argument, type Command, type Option } from 'commander';
import { quoted } from './values.js';

const examples = `
Examples:
  source <(mooring completion bash)
  mooring completion zsh > "\${fpath[1]}/_mooring"
  mooring completion fish > ~/.config/fish/completions/mooring.fish`;

/** `mooring completion` */
export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script that lets a shell complete commands and options')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(scripts)))
    .addHelpText('after', examples)
    .action((shell: keyof typeof scripts) => void process.stdout.write(scripts[shell](program)));
}

/** The script for each shell, from the commands and options of the program. */
const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** The options with a long name, `--help` included. */
function flagsOf(command: Command): Option[] {
  return [...command.options, ...command.createHelp().visibleOptions(command)].filter(
    (option, index, all) =>
      typeof option.long === 'string' && all.findIndex(({ long }) => long === option.long) === index,
  );
}

/** The values of the first argument, if they are known. */
function choicesOf(command: Command): string {
  return command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices).join(' ');
}

function namesOf(program: Command): string {
  return program.commands.map((command) => command.name()).join(' ');
}

/** The parser answers `help` although it is not a command. */
const help = { name: 'help', description: 'say what a command does' };

function bashScript(program: Command): string {
  const words = program.commands.map((command) => {
    const flags = flagsOf(command).map(({ long }) => long ?? '');
    return `    ${command.name()}) words="${[choicesOf(command), ...flags].join(' ').trim()}" ;;`;
  });
  const values = program.commands.flatMap((command) =>
    flagsOf(command)
      .filter(({ required }) => required)
      .map(({ long, argChoices = [] }) => `    "${command.name()} ${long ?? ''}") words="${argChoices.join(' ')}" ;;`),
  );
  return `_mooring() {
  local words="${namesOf(program)} ${help.name} --help --version"
  [ "$COMP_CWORD" -gt 1 ] && case "\${COMP_WORDS[1]}" in
${words.join('\n')}
    ${help.name}) words="${namesOf(program)}" ;;
    *) words="" ;;
  esac
  case "\${COMP_WORDS[1]} \${COMP_WORDS[COMP_CWORD-1]}" in
${values.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _mooring mooring
`;
}

/** Loaded from a folder of `fpath`, the file is the function's body at first; sourced, it registers the function. */
function zshScript(program: Command): string {
  const commands = program.commands.map((each) => `    ${quoted(`${each.name()}:${each.description()}`)}`);
  const cases = program.commands.map((command) => {
    const flags = flagsOf(command).map((option) => `        ${quoted(zshFlag(option))}`);
    const choices = choicesOf(command);
    const rest = choices === '' ? '*: :_default' : `1: :(${choices})`;
    return `    ${command.name()})\n      _arguments \\\n${[...flags, `        ${quoted(rest)}`].join(' \\\n')} ;;`;
  });
  return `#compdef mooring
_mooring() {
  local -a commands=(
${commands.join('\n')}
  )
  if (( CURRENT == 3 )) && [[ $words[2] == ${help.name} ]]; then
    _describe command commands
    return
  fi
  if (( CURRENT == 2 )); then
    commands+=(${quoted(`${help.name}:${help.description}`)})
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _mooring ]]; then
  _mooring "$@"
else
  compdef _mooring mooring
fi
`;
}

function zshFlag({ long, description, required, argChoices = [] }: Option): string {
  const about = description.replace(/[[\]:\\]/g, (character) => `\\${character}`);
  const value = argChoices.length > 0 ? `(${argChoices.join(' ')})` : '_default';
  return `${long ?? ''}[${about}]${required ? `: :${value}` : ''}`;
}

function fishScript(program: Command): string {
  const described = [...program.commands.map((each) => ({ name: each.name(), description: each.description() })), help];
  const first = described.map(
    ({ name, description }) => `complete -c mooring -n __fish_use_subcommand -f -a ${name} -d ${quoted(description)}`,
  );
  const named = `complete -c mooring -n '__fish_seen_subcommand_from ${help.name}' -f -a ${quoted(namesOf(program))}`;
  const flags = program.commands.flatMap((command) => {
    const head = `complete -c mooring -n '__fish_seen_subcommand_from ${command.name()}'`;
    const choices = choicesOf(command);
    const own = choices === '' ? [] : [`${head} -f -a ${quoted(choices)}`];
    return [...own, ...flagsOf(command).map((option) => `${head} ${fishFlag(option)}`)];
  });
  return `${[...first, named, ...flags].join('\n')}\n`;
}

function fishFlag({ long, description, required, argChoices = [] }: Option): string {
  const value = required ? ' -r' : '';
  const choices = argChoices.length === 0 ? '' : ` -f -a ${quoted(argChoices.join(' '))}`;
  return `-l ${(long ?? '').slice(2)}${value}${choices} -d ${quoted(description)}`;
}
