package dev.jformer.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Marks a component of a configuration whose fields appear in JSON on the level of the record that
 * holds it. The component's type must be a record whose field names differ from the others of that
 * record.
 *
 * <pre>{@code
 * record Config(int vocab, @Flat StackConfig stack) {}   // {"vocab": 256, "layers": 4, "width": 128}
 * }</pre>
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Flat {}
