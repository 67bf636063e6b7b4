// SPDX-License-Identifier: Apache-2.0
package portrait.relight

/** Base of every expected failure of this library; its message is one line for a person. */
public open class RelightError(message: String, cause: Throwable? = null) :
    RuntimeException(message, cause)

/** The photo shows no face that can be relit. */
public class NoFaceError(message: String) : RelightError(message)

/** A model cannot be loaded or run. */
public class ModelError(message: String, cause: Throwable? = null) : RelightError(message, cause)
