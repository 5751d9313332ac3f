package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Arguments that a command cannot be given. */
class UsageErrorsTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "trian | unknown command 'trian'; did you mean 'train'? (help: jformer --help)",
        "help trian | unknown command 'trian'; did you mean 'train'? (help: jformer --help)",
        "xyzzyxyzzy | unknown command 'xyzzyxyzzy' (help: jformer --help)",
        "--bogus | jformer has no option --bogus (help: jformer --help)",
        "train --stps 3 | jformer train has no option --stps; did you mean '--steps'? (help:",
        "train --stps=3 | jformer train has no option --stps; did you mean '--steps'? (help:",
        "generate m -x | jformer generate has no option -x (help: jformer generate --help)",
        "train --steps many | --steps is 'many': expected a whole number (help: jformer train --help)",
        "train --steps=3.5 | --steps is '3.5': expected a whole number (help:",
        "train --steps 9999999999 | --steps is '9999999999': expected a number that is nearer to zero",
        "train --steps | --steps needs a value: expected --steps N (help:",
        "train --steps 1 --steps 2 | --steps N is given twice: expected once (help:",
        "train --json=x | --json is 'x': expected no value (help:",
        "train extra | 'extra' is one argument too many: jformer train takes options only (help:",
        "export a b --out c | 'b' is one argument too many: jformer export takes MODEL (help:",
        "train --set foo | --set is 'foo': expected --set FIELD=VALUE (help:",
        "compress | jformer compress needs --with METHOD and --out FOLDER and MODEL (help:",
        "compress m | jformer compress needs --with METHOD and --out FOLDER (help:",
        "compress m --with | --with needs a value: expected --with METHOD (help:",
        "compress m --with x --out --quiet | --out needs a value: expected --out FOLDER (help:",
        "predict | jformer predict needs MODEL (help: jformer predict --help)",
        "generate m --temperature hot | --temperature is 'hot': expected a number (help:",
        "reproduce x --scale labtop | --scale is 'labtop': expected one of smoke, laptop, paper;"
            + " did you mean 'laptop'? (help:",
        "compare --with a --priority qualty | did you mean 'quality'? (help: jformer compare --help)",
        "bench --only stp | --only is 'stp': expected one of step, settings, pytorch,",
        "info --threads some | --threads is 'some': expected a whole number (help:",
        "tokenizer trian | unknown command 'trian'; did you mean 'train'? (help: jformer tokenizer",
        "tokenizer train | jformer tokenizer train needs --data PATH and --out FOLDER (help:",
        "tokenizer decode v x | ID... is 'x': expected a whole number (help: jformer tokenizer dec",
      })
  void areReportedInOneLineWithAWayToHelp(String arguments, String message) {
    Outcome outcome = Outcome.of(arguments.split(" "));
    assertEquals(2, outcome.code(), outcome.toString());
    assertEquals("", outcome.out());
    assertEquals(1, outcome.err().lines().count(), outcome.err());
    assertTrue(outcome.err().startsWith("jformer: "), outcome.err());
    assertTrue(outcome.err().contains(message), outcome.err());
  }
}
