package dev.jformer.app.command;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The unit of a number in a result, which decides how {@link Printer} writes it as text. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
@interface Unit {
  /** A share from 0 to 1, which text shows in per cent. */
  String SHARE = "%";

  /** For example {@code nats per token}. */
  String value();
}
