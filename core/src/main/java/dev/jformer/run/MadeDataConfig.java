package dev.jformer.run;

/** Configuration of data that is made as it is needed: there is no file or folder to read. */
interface MadeDataConfig extends DataConfig {
  @Override
  default String source() {
    return "";
  }

  @Override
  default boolean isMade() {
    return true;
  }

  @Override
  default DataConfig withSource(String source) {
    throw new UnsupportedOperationException("data of the kind " + type() + " is made, not read");
  }
}
